<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<!-- The road line as aligned to the imagery, with a post at every kilometre from the origin, fewer from afar. A post
     stands beside its dot; dots are placed in UTM, where lengths are true to half a thousandth. In a legend, which knows
     no feature, posts have size 0: they would stick out of their line. -->
<qgis version="3.22.0" styleCategories="Symbology">
  <renderer-v2 type="singleSymbol" forceraster="0" symbollevels="0" enableorderby="0">
    <symbols>
      <symbol name="0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" value="40,40,40,255" type="QString"/>
            <Option name="line_width" value="0.9" type="QString"/>
            <Option name="line_width_unit" value="MM" type="QString"/>
            <Option name="line_style" value="solid" type="QString"/>
            <Option name="capstyle" value="flat" type="QString"/>
            <Option name="joinstyle" value="round" type="QString"/>
            <Option name="offset" value="0" type="QString"/>
            <Option name="offset_unit" value="MM" type="QString"/>
          </Option>
        </layer>
        <layer class="SimpleLine" enabled="1" locked="0" pass="0">
          <Option type="Map">
            <Option name="line_color" value="255,255,255,255" type="QString"/>
            <Option name="line_width" value="0.35" type="QString"/>
            <Option name="line_width_unit" value="MM" type="QString"/>
            <Option name="line_style" value="solid" type="QString"/>
            <Option name="capstyle" value="flat" type="QString"/>
            <Option name="joinstyle" value="round" type="QString"/>
            <Option name="offset" value="0" type="QString"/>
            <Option name="offset_unit" value="MM" type="QString"/>
            <Option name="use_custom_dash" value="1" type="QString"/>
            <Option name="customdash" value="3;2" type="QString"/>
            <Option name="customdash_unit" value="MM" type="QString"/>
          </Option>
        </layer>
        <layer class="GeometryGenerator" enabled="1" locked="0" pass="1">
          <Option type="Map">
            <Option name="SymbolType" value="Marker" type="QString"/>
            <Option name="geometryModifier" value="with_variable('step', if(coalesce(@map_scale, 1) &lt; 150000, 1, if(coalesce(@map_scale, 1) &lt; 700000, 5, 20)), with_variable('utm', 'EPSG:' || to_string(if(y(centroid($geometry)) &lt; 0, 32701, 32601) + floor((x(centroid($geometry)) + 180) / 6)), with_variable('line', transform($geometry, 'EPSG:4326', @utm), transform(collect_geometries(array_foreach(generate_series(ceil(-&quot;origin_station_m&quot; / 1000 / @step), floor((&quot;length_m&quot; - &quot;origin_station_m&quot;) / 1000 / @step)), line_interpolate_point(@line, min(length(@line), length(@line) * (&quot;origin_station_m&quot; + 1000 * @step * @element) / &quot;length_m&quot;)))), @utm, 'EPSG:4326'))))" type="QString"/>
            <Option name="units" value="MapUnit" type="QString"/>
          </Option>
          <symbol name="@0@2" type="marker" alpha="1" clip_to_extent="1" force_rhr="0">
            <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
              <Option type="Map">
                <Option name="name" value="circle" type="QString"/>
                <Option name="color" value="255,255,255,255" type="QString"/>
                <Option name="outline_color" value="40,40,40,255" type="QString"/>
                <Option name="outline_width" value="0.4" type="QString"/>
                <Option name="size" value="1.6" type="QString"/>
                <Option name="size_unit" value="MM" type="QString"/>
              </Option>
            </layer>
            <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
              <Option type="Map">
                <Option name="name" value="circle" type="QString"/>
                <Option name="color" value="255,255,255,255" type="QString"/>
                <Option name="outline_color" value="40,40,40,255" type="QString"/>
                <Option name="outline_width" value="0.3" type="QString"/>
                <Option name="offset" value="4.2,3" type="QString"/>
                <Option name="offset_unit" value="MM" type="QString"/>
                <Option name="size" value="4.6" type="QString"/>
                <Option name="size_unit" value="MM" type="QString"/>
              </Option>
              <data_defined_properties>
                <Option type="Map">
                  <Option name="name" value="" type="QString"/>
                  <Option name="properties" type="Map">
                    <Option name="size" type="Map">
                      <Option name="active" value="true" type="bool"/>
                      <Option name="expression" value="if(attribute('length_m') is null, 0, @value)" type="QString"/>
                      <Option name="type" value="3" type="int"/>
                    </Option>
                  </Option>
                  <Option name="type" value="collection" type="QString"/>
                </Option>
              </data_defined_properties>
            </layer>
            <layer class="FontMarker" enabled="1" locked="0" pass="0">
              <Option type="Map">
                <Option name="font" value="Sans Serif" type="QString"/>
                <Option name="chr" value="km" type="QString"/>
                <Option name="color" value="40,40,40,255" type="QString"/>
                <Option name="offset" value="4.2,3" type="QString"/>
                <Option name="offset_unit" value="MM" type="QString"/>
                <Option name="size" value="2.6" type="QString"/>
                <Option name="size_unit" value="MM" type="QString"/>
                <Option name="horizontal_anchor_point" value="1" type="QString"/>
                <Option name="vertical_anchor_point" value="1" type="QString"/>
              </Option>
              <data_defined_properties>
                <Option type="Map">
                  <Option name="name" value="" type="QString"/>
                  <Option name="properties" type="Map">
                    <Option name="size" type="Map">
                      <Option name="active" value="true" type="bool"/>
                      <Option name="expression" value="if(attribute('length_m') is null, 0, @value)" type="QString"/>
                      <Option name="type" value="3" type="int"/>
                    </Option>
                    <Option name="char" type="Map">
                      <Option name="active" value="true" type="bool"/>
                      <Option name="expression" value='to_string(to_int((ceil(-"origin_station_m" / 1000 / if(coalesce(@map_scale, 1) &lt; 150000, 1, if(coalesce(@map_scale, 1) &lt; 700000, 5, 20))) + @geometry_part_num - 1) * if(coalesce(@map_scale, 1) &lt; 150000, 1, if(coalesce(@map_scale, 1) &lt; 700000, 5, 20))))' type="QString"/>
                      <Option name="type" value="3" type="int"/>
                    </Option>
                  </Option>
                  <Option name="type" value="collection" type="QString"/>
                </Option>
              </data_defined_properties>
            </layer>
          </symbol>
        </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <blendMode>0</blendMode>
  <featureBlendMode>0</featureBlendMode>
  <layerOpacity>1</layerOpacity>
</qgis>
