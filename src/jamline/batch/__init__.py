"""Many jobs: each is done once, whole or not at all, and one that fails does not stop the others."""

from jamline.batch._join import Join, join_jobs
from jamline.batch._reading import COLUMNS, read_jobs
from jamline.batch._run import Batch, Progress, run_batch
from jamline.batch._work import Failure, Planned

__all__ = ["COLUMNS", "Batch", "Failure", "Join", "Planned", "Progress", "join_jobs", "read_jobs", "run_batch"]
