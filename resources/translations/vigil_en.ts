<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Overlay</name>
    <message numerus="yes">
        <source>frame %1   %2   %n object(s)</source>
        <translation>
            <numerusform>frame %1   %2   %n object</numerusform>
            <numerusform>frame %1   %2   %n objects</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>vigil::ui::MainWindow</name>
    <message numerus="yes">
        <source>No picture for %n s</source>
        <translation>
            <numerusform>No picture for %n s</numerusform>
            <numerusform>No picture for %n s</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>recording, %n frame(s)</source>
        <translation>
            <numerusform>recording, %n frame</numerusform>
            <numerusform>recording, %n frames</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) in %1</source>
        <translation>
            <numerusform>%n frame in %1</numerusform>
            <numerusform>%n frames in %1</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) in %1 s: %2</source>
        <translation>
            <numerusform>%n frame in %1 s: %2</numerusform>
            <numerusform>%n frames in %1 s: %2</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>vigil::ui::ModelPanel</name>
    <message numerus="yes">
        <source>%n fused whole</source>
        <translation>
            <numerusform>%n fused whole</numerusform>
            <numerusform>%n fused whole</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n with fused attention</source>
        <translation>
            <numerusform>%n with fused attention</numerusform>
            <numerusform>%n with fused attention</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n run as standard operators</source>
        <translation>
            <numerusform>%n run as standard operators</numerusform>
            <numerusform>%n run as standard operators</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n, without names</source>
        <translation>
            <numerusform>%n, without names</numerusform>
            <numerusform>%n, without names</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n layer(s): %1</source>
        <translation>
            <numerusform>%n layer: %1</numerusform>
            <numerusform>%n layers: %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>vigil::ui::ObjectsPanel</name>
    <message numerus="yes">
        <source>%n object(s) in this frame</source>
        <translation>
            <numerusform>%n object in this frame</numerusform>
            <numerusform>%n objects in this frame</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The model knows %n class(es)</source>
        <translation>
            <numerusform>The model knows %n class</numerusform>
            <numerusform>The model knows %n classes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>vigil::ui::PerformancePanel</name>
    <message numerus="yes">
        <source>%n s ago</source>
        <translation>
            <numerusform>%n s ago</numerusform>
            <numerusform>%n s ago</numerusform>
        </translation>
    </message>
</context>
</TS>
