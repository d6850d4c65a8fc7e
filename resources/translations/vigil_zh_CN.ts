<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Engine</name>
    <message>
        <source>&apos;%1&apos; does not exist; check the path</source>
        <translation>“%1”不存在；请检查路径</translation>
    </message>
    <message>
        <source>&apos;%1&apos; is a folder without images; give a video or a folder of images</source>
        <translation>文件夹“%1”中没有图像；请选择视频或图像文件夹</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be opened as a video; it is damaged, holds no video stream or its codec is unknown, check it with ffprobe</source>
        <translation>“%1”无法作为视频打开；文件已损坏、不含视频流或编码未知，请用 ffprobe 检查</translation>
    </message>
    <message>
        <source>&apos;%1&apos; holds no frame that can be decoded; the file is damaged or its codec is unknown, check it with ffprobe</source>
        <translation>“%1”中没有可解码的帧；文件已损坏或编码未知，请用 ffprobe 检查</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be read as an image</source>
        <translation>“%1”无法作为图像读取</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be opened; check the address, the network and that the server is up</source>
        <translation>无法打开“%1”；请检查地址、网络以及服务器是否在运行</translation>
    </message>
    <message>
        <source>&apos;%1&apos; fell silent and could not be opened again in %2 tries; check the camera and the network</source>
        <translation>“%1”中断，重试 %2 次仍无法打开；请检查摄像头和网络</translation>
    </message>
    <message>
        <source>&apos;%1&apos;: %2 damaged parts were skipped</source>
        <translation>“%1”：跳过了 %2 处损坏的内容</translation>
    </message>
    <message>
        <source>&apos;%1&apos;: the header announces about %2 frames, %3 could be decoded</source>
        <translation>“%1”：文件头声明约有 %2 帧，实际可解码 %3 帧</translation>
    </message>
    <message>
        <source>&apos;%1&apos; is what is being played and would be overwritten; choose another name</source>
        <translation>“%1”正在播放，会被覆盖；请换一个名称</translation>
    </message>
    <message>
        <source>&apos;%1&apos; is named for two outputs; give each its own</source>
        <translation>“%1”被用于两个输出；请分别命名</translation>
    </message>
    <message>
        <source>%1: not an ONNX file, or a damaged or truncated one</source>
        <translation>%1：不是 ONNX 文件，或者文件已损坏或不完整</translation>
    </message>
    <message>
        <source>OpenCV %1 was built without CUDA for DNN</source>
        <translation>OpenCV %1 的 DNN 模块未启用 CUDA</translation>
    </message>
    <message>
        <source>no CUDA device was found</source>
        <translation>没有找到 CUDA 设备</translation>
    </message>
    <message>
        <source>the processor has no AVX512-BF16</source>
        <translation>处理器不支持 AVX512-BF16</translation>
    </message>
    <message>
        <source>the processor has no AVX2</source>
        <translation>处理器不支持 AVX2</translation>
    </message>
    <message>
        <source>irmb_dnn was built without oneDNN</source>
        <translation>irmb_dnn 未使用 oneDNN 构建</translation>
    </message>
    <message>
        <source>%1; create its folder first</source>
        <translation>%1；请先创建其所在的文件夹</translation>
    </message>
    <message>
        <source>%1; choose a place that you may write to</source>
        <translation>%1；请选择有写入权限的位置</translation>
    </message>
    <message>
        <source>%1; name a file in it</source>
        <translation>%1；请指定其中的一个文件</translation>
    </message>
    <message>
        <source>%1; make room or choose another disk</source>
        <translation>%1；请腾出空间或选择其他磁盘</translation>
    </message>
    <message>
        <source>%1; the reader of the pipe went away</source>
        <translation>%1；管道的读取端已关闭</translation>
    </message>
    <message>
        <source>%1; try another container, such as .mkv</source>
        <translation>%1；请换用其他封装格式，如 .mkv</translation>
    </message>
    <message>
        <source>%1; export or copy the model again</source>
        <translation>%1；请重新导出或复制模型</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be read: %2</source>
        <translation>无法读取“%1”：%2</translation>
    </message>
    <message>
        <source>&apos;%1&apos; matches no file; check the pattern</source>
        <translation>没有与“%1”匹配的文件；请检查通配符</translation>
    </message>
    <message>
        <source>&apos;%1&apos; matches &apos;%2&apos;, which is not an image; give videos one at a time</source>
        <translation>“%1”匹配到“%2”，它不是图像；视频请逐个打开</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be opened; is the camera plugged in, free and readable? &apos;v4l2-ctl --list-devices&apos; lists cameras</source>
        <translation>无法打开“%1”；请检查摄像头是否已连接、未被占用且可读取。可用“v4l2-ctl --list-devices”列出摄像头</translation>
    </message>
    <message>
        <source>&apos;%1&apos;: interrupted 1 time</source>
        <translation>“%1”：中断 1 次</translation>
    </message>
    <message>
        <source>&apos;%1&apos;: interrupted %2 times</source>
        <translation>“%1”：中断 %2 次</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be opened for writing: %2</source>
        <translation>无法打开“%1”进行写入：%2</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be written: %2</source>
        <translation>无法写入“%1”：%2</translation>
    </message>
    <message>
        <source>&apos;%1&apos; cannot be created: %2; create its parent folder first</source>
        <translation>无法创建“%1”：%2；请先创建其上级文件夹</translation>
    </message>
    <message>
        <source>&apos;%1&apos; is one image, but &apos;%2&apos; may hold many frames; name a video, a folder such as frames/ or numbered images such as f_%05d.png</source>
        <translation>“%1”是一幅图像，而“%2”可能包含多帧；请指定视频、文件夹（如 frames/）或带编号的图像（如 f_%05d.png）</translation>
    </message>
    <message>
        <source>&apos;%1&apos; does not say which kind of file to write; end it in .mp4, .mkv, .mov, .webm, .ts or .avi for a video, in .jpg or .png for images, in / for a folder</source>
        <translation>从“%1”看不出要写入哪种文件；视频请以 .mp4、.mkv、.mov、.webm、.ts 或 .avi 结尾，图像请以 .jpg 或 .png 结尾，文件夹请以 / 结尾</translation>
    </message>
    <message>
        <source>&apos;%1&apos;: %2 cannot be started: %3</source>
        <translation>“%1”：无法启动 %2：%3</translation>
    </message>
    <message>
        <source>cannot open &apos;%1&apos;: %2; check the path</source>
        <translation>无法打开“%1”：%2；请检查路径</translation>
    </message>
    <message>
        <source>cannot read &apos;%1&apos;: it is a folder, not a file; give an ONNX file</source>
        <translation>无法读取“%1”：这是文件夹而不是文件；请选择 ONNX 文件</translation>
    </message>
    <message>
        <source>cannot read &apos;%1&apos;: it is not a regular file; give an ONNX file</source>
        <translation>无法读取“%1”：这不是普通文件；请选择 ONNX 文件</translation>
    </message>
    <message>
        <source>%1: larger than 2 GiB; use a smaller model</source>
        <translation>%1：大于 2 GiB；请使用较小的模型</translation>
    </message>
    <message>
        <source>%1: the file is empty</source>
        <translation>%1：文件为空</translation>
    </message>
    <message>
        <source>%1: there is no graph in it: not an ONNX model</source>
        <translation>%1：其中没有计算图；不是 ONNX 模型</translation>
    </message>
    <message>
        <source>%1: external data file &apos;%2&apos; is missing (%3): keep it beside the .onnx file</source>
        <translation>%1：缺少外部数据文件“%2”（%3）；请将其与 .onnx 文件放在一起</translation>
    </message>
    <message>
        <source>%1: opset %2 is not supported (only 11 to 20): export the model with opset 17</source>
        <translation>%1：不支持 opset %2（仅支持 11 至 20）；请用 opset 17 导出模型</translation>
    </message>
    <message>
        <source>%1: node %2 has an attribute %3 of a kind that is not supported (a subgraph?): export the model without control flow</source>
        <translation>%1：节点 %2 的属性 %3 类型不受支持（可能是子图）；请导出不含控制流的模型</translation>
    </message>
    <message>
        <source>%1: the network has %2 inputs; export it with the image alone</source>
        <translation>%1：网络有 %2 个输入；请只以图像作为输入导出</translation>
    </message>
    <message>
        <source>%1: input %2 takes %3: export the network with a float32 input</source>
        <translation>%1：输入 %2 的类型为 %3；请以 float32 输入导出网络</translation>
    </message>
    <message>
        <source>%1: the size of input %2 is open: give the input size, such as 640x640 (--input-size, ReadOptions::input_size)</source>
        <translation>%1：输入 %2 的尺寸未定；请以固定尺寸（如 640x640）导出，或在命令行用 --input-size 指定</translation>
    </message>
    <message>
        <source>%1: an input of %2 is too large: nothing beyond 1 GiB is supported, use a smaller input</source>
        <translation>%1：输入 %2 过大；不支持超过 1 GiB，请使用较小的输入</translation>
    </message>
    <message>
        <source>%1: tensor %2 would be %3: nothing beyond 1 GiB is supported, use a smaller input</source>
        <translation>%1：张量 %2 将达到 %3；不支持超过 1 GiB，请使用较小的输入</translation>
    </message>
    <message>
        <source>%1: OpenCV %2 has no operator %3 (node %4); export the model with standard operators</source>
        <translation>%1：OpenCV %2 没有算子 %3（节点 %4）；请用标准算子导出模型</translation>
    </message>
    <message>
        <source>%1: OpenCV %2 cannot import this network: %3; try another engine, or export the model again, simplified</source>
        <translation>%1：OpenCV %2 无法导入此网络：%3；请换用其他引擎，或简化后重新导出模型</translation>
    </message>
    <message>
        <source>%1: OpenCV %2 cannot run this network: %3</source>
        <translation>%1：OpenCV %2 无法运行此网络：%3</translation>
    </message>
    <message>
        <source>model &apos;%1&apos; is not a known detector; give a YOLOv10 with a [1, 4 + classes, N] or [1, K, 6] output</source>
        <translation>模型“%1”不是已知的检测器；请选择输出为 [1, 4 + 类别数, N] 或 [1, K, 6] 的 YOLOv10</translation>
    </message>
    <message>
        <source>model &apos;%1&apos; does not take colour images; its input must be [1, 3, height, width]</source>
        <translation>模型“%1”不接受彩色图像；其输入必须为 [1, 3, 高, 宽]</translation>
    </message>
    <message>
        <source>model &apos;%1&apos; is made for batches of %2; export it with batch 1 or an open batch</source>
        <translation>模型“%1”的批量大小固定为 %2；请以批量 1 或可变批量导出</translation>
    </message>
    <message>
        <source>--backend cuda: %1; use --backend cpu, or auto</source>
        <translation>无法使用 CUDA：%1；请改用 CPU 或自动</translation>
    </message>
    <message>
        <source>--engine new: the new engine runs on the CPU only; use --engine classic with CUDA, or --backend cpu</source>
        <translation>新引擎只能在 CPU 上运行；使用 CUDA 时请选择经典引擎，或改用 CPU</translation>
    </message>
    <message>
        <source>--precision fp16: the CPU backend computes in fp32 or bf16 only; use one of these, or auto</source>
        <translation>CPU 无法以 FP16 计算，只能用 FP32 或 BF16；请选择其中之一或自动</translation>
    </message>
    <message>
        <source>%1: precision bf16 cannot be had: %2; use fp32</source>
        <translation>%1：无法使用 BF16：%2；请改用 FP32</translation>
    </message>
    <message>
        <source>the NVIDIA driver is missing, or too old for the CUDA that OpenCV was built with</source>
        <translation>缺少 NVIDIA 驱动程序，或其版本低于 OpenCV 所用 CUDA 的要求</translation>
    </message>
    <message>
        <source>OpenCV was not built for the architecture of this machine&apos;s GPU</source>
        <translation>OpenCV 编译时未包含本机 GPU 的架构</translation>
    </message>
    <message>
        <source>the network has no part that can be accelerated</source>
        <translation>网络中没有可加速的部分</translation>
    </message>
    <message>
        <source>this build has no CUDA layer: standard operators run on the GPU instead</source>
        <translation>此版本没有 CUDA 层；改由 GPU 运行标准算子</translation>
    </message>
    <message>
        <source>OpenCV&apos;s new engine cannot run this network: the classic one does</source>
        <translation>OpenCV 的新引擎无法运行此网络，改用经典引擎</translation>
    </message>
    <message>
        <source>of %1 outputs only %2 is used</source>
        <translation>%1 个输出中仅使用 %2</translation>
    </message>
    <message>
        <source>how output %1 (%2) writes boxes does not show in the graph: read as centre and size, as YOLOv8 does</source>
        <translation>从计算图看不出输出 %1（%2）的框格式；按 YOLOv8 的中心与尺寸读取</translation>
    </message>
    <message>
        <source>class names in the metadata cannot be read: %1</source>
        <translation>无法读取元数据中的类别名称：%1</translation>
    </message>
    <message>
        <source>the metadata name %1 classes, the network has %2</source>
        <translation>元数据列出 %1 个类别，而网络有 %2 个</translation>
    </message>
    <message>
        <source>stride in the metadata makes no sense: %1</source>
        <translation>元数据中的 stride 无效：%1</translation>
    </message>
    <message>
        <source>imgsz in the metadata makes no sense: %1</source>
        <translation>元数据中的 imgsz 无效：%1</translation>
    </message>
    <message>
        <source>the metadata say that the task is %1, not detection: of its results only boxes are read, if there are any</source>
        <translation>元数据表明任务是 %1 而非检测：只读取其结果中的框（如果有）</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>Comma</source>
        <translation>逗号</translation>
    </message>
    <message>
        <source>Full stop</source>
        <translation>句号</translation>
    </message>
</context>
<context>
    <name>Overlay</name>
    <message numerus="yes">
        <source>frame %1   %2   %n object(s)</source>
        <translation>
            <numerusform>第 %1 帧   %2   %n 个目标</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>Finds objects in videos, cameras and streams.</source>
        <translation>在视频、摄像头和网络流中检测目标。</translation>
    </message>
    <message>
        <source>ONNX file of a YOLOv10.</source>
        <translation>YOLOv10 的 ONNX 文件。</translation>
    </message>
    <message>
        <source>Video, image, folder, camera or URL to open.</source>
        <translation>要打开的视频、图像、文件夹、摄像头或网址。</translation>
    </message>
    <message>
        <source>A model or a source, as with the options.</source>
        <translation>模型或来源，与选项相同。</translation>
    </message>
</context>
<context>
    <name>vigil::ui::AboutDialog</name>
    <message>
        <source>About Vigil</source>
        <translation>关于 Vigil</translation>
    </message>
    <message>
        <source>&lt;h2&gt;Vigil&lt;/h2&gt;&lt;p&gt;Finds objects in videos, cameras and streams with YOLOv10 models and their iRMB blocks, on OpenCV alone.&lt;/p&gt;&lt;p&gt;Licence: Apache-2.0. Models have licences of their own.&lt;/p&gt;</source>
        <translation>&lt;h2&gt;Vigil&lt;/h2&gt;&lt;p&gt;用 YOLOv10 模型及其 iRMB 模块在视频、摄像头和网络流中检测目标，仅依赖 OpenCV。&lt;/p&gt;&lt;p&gt;许可证：Apache-2.0。模型另有各自的许可证。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>Built with</source>
        <translation>编译器</translation>
    </message>
    <message>
        <source>%1, optimised</source>
        <translation>%1，已优化</translation>
    </message>
    <message>
        <source>%1, with assertions</source>
        <translation>%1，含断言</translation>
    </message>
    <message>
        <source>%1, built with %2</source>
        <translation>%1，编译时为 %2</translation>
    </message>
    <message>
        <source>OpenCV engines</source>
        <translation>OpenCV 引擎</translation>
    </message>
    <message>
        <source>new and classic</source>
        <translation>新版和经典</translation>
    </message>
    <message>
        <source>classic</source>
        <translation>经典</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>not usable: %1</source>
        <translation>不可用：%1</translation>
    </message>
</context>
<context>
    <name>vigil::ui::CameraDialog</name>
    <message>
        <source>Looking for cameras …</source>
        <translation>正在查找摄像头…</translation>
    </message>
    <message>
        <source>Open camera</source>
        <translation>打开摄像头</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>重新查找</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Resolution</source>
        <translation>分辨率</translation>
    </message>
    <message>
        <source>No camera was found. Plug one in and look again; if it is plugged in, your user may need to be in the group “video”.</source>
        <translation>没有找到摄像头。请插入摄像头后重新查找；如果已经插入，您的用户可能需要加入“video”组。</translation>
    </message>
    <message>
        <source>As the camera likes</source>
        <translation>由摄像头决定</translation>
    </message>
</context>
<context>
    <name>vigil::ui::MainWindow</name>
    <message>
        <source>Open &amp;video…</source>
        <translation>打开视频(&amp;V)…</translation>
    </message>
    <message>
        <source>Open &amp;images…</source>
        <translation>打开图像(&amp;I)…</translation>
    </message>
    <message>
        <source>Open &amp;camera…</source>
        <translation>打开摄像头(&amp;C)…</translation>
    </message>
    <message>
        <source>Open &amp;stream…</source>
        <translation>打开网络流(&amp;S)…</translation>
    </message>
    <message>
        <source>Open the &amp;demo</source>
        <translation>打开演示(&amp;D)</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Load &amp;model…</source>
        <translation>加载模型(&amp;M)…</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>卸载模型</translation>
    </message>
    <message>
        <source>Save snapshot</source>
        <translation>保存截图</translation>
    </message>
    <message>
        <source>Save snapshot without boxes</source>
        <translation>保存不含检测框的截图</translation>
    </message>
    <message>
        <source>&amp;Record…</source>
        <translation>录制(&amp;R)…</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>导出(&amp;E)…</translation>
    </message>
    <message>
        <source>Se&amp;ttings…</source>
        <translation>设置(&amp;T)…</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Play or pause</source>
        <translation>播放或暂停(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>停止(&amp;S)</translation>
    </message>
    <message>
        <source>One frame &amp;back</source>
        <translation>后退一帧(&amp;B)</translation>
    </message>
    <message>
        <source>One frame &amp;forward</source>
        <translation>前进一帧(&amp;F)</translation>
    </message>
    <message>
        <source>Five seconds back</source>
        <translation>后退五秒</translation>
    </message>
    <message>
        <source>Five seconds forward</source>
        <translation>前进五秒</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>回到开头</translation>
    </message>
    <message>
        <source>Start again at the end</source>
        <translation>循环播放</translation>
    </message>
    <message>
        <source>Show every frame</source>
        <translation>显示每一帧</translation>
    </message>
    <message>
        <source>&amp;Boxes</source>
        <translation>检测框(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Labels</source>
        <translation>标签(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Scores</source>
        <translation>置信度(&amp;S)</translation>
    </message>
    <message>
        <source>Frame &amp;number and time</source>
        <translation>帧号和时间(&amp;N)</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Fit into the window</source>
        <translation>适应窗口</translation>
    </message>
    <message>
        <source>&amp;Full screen</source>
        <translation>全屏(&amp;F)</translation>
    </message>
    <message>
        <source>Leave full screen</source>
        <translation>退出全屏</translation>
    </message>
    <message>
        <source>&amp;Reset the panels</source>
        <translation>重置面板(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Keyboard and mouse</source>
        <translation>键盘和鼠标(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;About Vigil</source>
        <translation>关于 Vigil(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>最近打开(&amp;R)</translation>
    </message>
    <message>
        <source>Recent m&amp;odels</source>
        <translation>最近的模型(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Playback</source>
        <translation>播放(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Stream</source>
        <translation>网络流</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图像</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Forget these</source>
        <translation>清除列表</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Playback</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>View</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Open video</source>
        <translation>打开视频</translation>
    </message>
    <message>
        <source>Videos (%1)</source>
        <translation>视频 (%1)</translation>
    </message>
    <message>
        <source>Images (%1)</source>
        <translation>图像 (%1)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Open a folder of images</source>
        <translation>打开图像文件夹</translation>
    </message>
    <message>
        <source>Load model</source>
        <translation>加载模型</translation>
    </message>
    <message>
        <source>ONNX models (%1)</source>
        <translation>ONNX 模型 (%1)</translation>
    </message>
    <message>
        <source>The demo is not here</source>
        <translation>没有找到演示内容</translation>
    </message>
    <message>
        <source>Run tools/demo.sh once, or open a video and a model of your own.</source>
        <translation>请先运行一次 tools/demo.sh，或打开您自己的视频和模型。</translation>
    </message>
    <message>
        <source>Writes what is played from now on, every frame of it, until you stop.</source>
        <translation>从现在起写入播放的每一帧，直到您停止。</translation>
    </message>
    <message>
        <source>Works through the whole source, every frame, with the lowest score and the classes of now. You can go on watching.</source>
        <translation>按当前的最低置信度和类别逐帧处理整个来源。处理期间您可以继续观看。</translation>
    </message>
    <message>
        <source>Objects</source>
        <translation>目标</translation>
    </message>
    <message>
        <source>Performance</source>
        <translation>性能</translation>
    </message>
    <message>
        <source>Cancel the export; what was written stays</source>
        <translation>取消导出；已写入的内容会保留</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>正在导出</translation>
    </message>
    <message>
        <source>Opening %1 …</source>
        <translation>正在打开 %1 …</translation>
    </message>
    <message>
        <source>%1 could not be opened</source>
        <translation>无法打开 %1</translation>
    </message>
    <message>
        <source>The source is lost</source>
        <translation>来源已断开</translation>
    </message>
    <message>
        <source>Open it again</source>
        <translation>重新打开</translation>
    </message>
    <message>
        <source>Loading %1 …</source>
        <translation>正在加载 %1 …</translation>
    </message>
    <message>
        <source>The model %1 could not be loaded</source>
        <translation>无法加载模型 %1</translation>
    </message>
    <message>
        <source>The recording failed</source>
        <translation>录制失败</translation>
    </message>
    <message>
        <source>The snapshot was saved</source>
        <translation>截图已保存</translation>
    </message>
    <message>
        <source>The snapshot could not be saved</source>
        <translation>无法保存截图</translation>
    </message>
    <message>
        <source>The export is complete</source>
        <translation>导出完成</translation>
    </message>
    <message>
        <source>The export failed</source>
        <translation>导出失败</translation>
    </message>
    <message>
        <source>zoom %1%</source>
        <translation>缩放 %1%</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>未加载模型</translation>
    </message>
    <message>
        <source>The video plays, but nothing is looked for.</source>
        <translation>视频可以播放，但不会检测目标。</translation>
    </message>
    <message>
        <source>Load model…</source>
        <translation>加载模型…</translation>
    </message>
    <message>
        <source>%1 on %2</source>
        <translation>%1，运行于 %2</translation>
    </message>
    <message>
        <source>CUDA</source>
        <translation>CUDA</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>Model: %1</source>
        <translation>模型：%1</translation>
    </message>
    <message>
        <source>No model</source>
        <translation>无模型</translation>
    </message>
    <message>
        <source>%1 fps</source>
        <translation>%1 帧/秒</translation>
    </message>
    <message>
        <source>No picture: the source is being opened again</source>
        <translation>没有画面：正在重新打开来源</translation>
    </message>
    <message numerus="yes">
        <source>No picture for %n s</source>
        <translation>
            <numerusform>已有 %n 秒没有画面</numerusform>
        </translation>
    </message>
    <message>
        <source>Stop &amp;recording</source>
        <translation>停止录制(&amp;R)</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message numerus="yes">
        <source>recording, %n frame(s)</source>
        <translation>
            <numerusform>正在录制，%n 帧</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>另有 %n 条</numerusform>
        </translation>
    </message>
    <message>
        <source>The source is damaged or incomplete</source>
        <translation>来源已损坏或不完整</translation>
    </message>
    <message>
        <source>The recording is complete</source>
        <translation>录制完成</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) in %1</source>
        <translation>
            <numerusform>%n 帧，写入 %1</numerusform>
        </translation>
    </message>
    <message>
        <source>The export was cancelled</source>
        <translation>导出已取消</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) in %1 s: %2</source>
        <translation>
            <numerusform>%n 帧，用时 %1 秒：%2</numerusform>
        </translation>
    </message>
    <message>
        <source>Show the folder</source>
        <translation>打开文件夹</translation>
    </message>
    <message>
        <source>at the end</source>
        <translation>已到结尾</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Nothing was recorded</source>
        <translation>没有录到任何内容</translation>
    </message>
    <message>
        <source>No frame was played meanwhile: %1 holds none.</source>
        <translation>录制期间没有播放任何帧：%1 中没有帧。</translation>
    </message>
</context>
<context>
    <name>vigil::ui::MessageBar</name>
    <message>
        <source>Close this message</source>
        <translation>关闭此消息</translation>
    </message>
</context>
<context>
    <name>vigil::ui::ModelPanel</name>
    <message>
        <source>YOLOv10, its NMS-free tail runs outside the network</source>
        <translation>YOLOv10，无 NMS 的尾部在网络之外运行</translation>
    </message>
    <message>
        <source>YOLOv10, one-to-one head</source>
        <translation>YOLOv10，一对一检测头</translation>
    </message>
    <message>
        <source>YOLOv10, one-to-many scores, with NMS</source>
        <translation>YOLOv10，一对多得分，使用 NMS</translation>
    </message>
    <message>
        <source>YOLOv8 style, with NMS</source>
        <translation>YOLOv8 风格，使用 NMS</translation>
    </message>
    <message>
        <source>YOLOv10, end to end</source>
        <translation>YOLOv10，端到端</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>none in this model</source>
        <translation>此模型中没有</translation>
    </message>
    <message numerus="yes">
        <source>%n fused whole</source>
        <translation>
            <numerusform>%n 个整体融合</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n with fused attention</source>
        <translation>
            <numerusform>%n 个仅融合注意力</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n run as standard operators</source>
        <translation>
            <numerusform>%n 个以标准算子运行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n, without names</source>
        <translation>
            <numerusform>%n 个，没有名称</numerusform>
        </translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message numerus="yes">
        <source>%n layer(s): %1</source>
        <translation>
            <numerusform>%n 层：%1</numerusform>
        </translation>
    </message>
    <message>
        <source>Load model…</source>
        <translation>加载模型…</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>CUDA</source>
        <translation>CUDA</translation>
    </message>
    <message>
        <source>New</source>
        <translation>新引擎</translation>
    </message>
    <message>
        <source>Classic</source>
        <translation>经典引擎</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>运行设备</translation>
    </message>
    <message>
        <source>Arithmetic</source>
        <translation>计算精度</translation>
    </message>
    <message>
        <source>OpenCV engine</source>
        <translation>OpenCV 引擎</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>未加载模型</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>类别</translation>
    </message>
    <message>
        <source>iRMB blocks</source>
        <translation>iRMB 模块</translation>
    </message>
    <message>
        <source>Really runs on</source>
        <translation>实际运行于</translation>
    </message>
    <message>
        <source>%1, %2, %3 engine of OpenCV %4</source>
        <translation>%1，%2，OpenCV %4 的%3引擎</translation>
    </message>
    <message>
        <source>new</source>
        <translation>新</translation>
    </message>
    <message>
        <source>classic</source>
        <translation>经典</translation>
    </message>
    <message>
        <source>Handed to the CPU</source>
        <translation>交由 CPU 的层</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>%1, opset %2</source>
        <translation>%1，算子集版本 %2</translation>
    </message>
    <message>
        <source>Written by</source>
        <translation>导出工具</translation>
    </message>
    <message>
        <source>Loading %1 …</source>
        <translation>正在加载 %1 …</translation>
    </message>
    <message>
        <source>OpenCV has it from version 5 on</source>
        <translation>OpenCV 从版本 5 起才有此引擎</translation>
    </message>
    <message>
        <source>nothing: %1</source>
        <translation>无：%1</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>%1 of %2 operators, by Vigil&apos;s kernels and %3</source>
        <translation>%2 个算子中的 %1 个，由 Vigil 的内核和 %3 执行</translation>
    </message>
    <message>
        <source>not asked yet</source>
        <translation>尚未查询</translation>
    </message>
    <message>
        <source>Accelerated</source>
        <translation>加速</translation>
    </message>
    <message>
        <source>only CUDA computes in FP16</source>
        <translation>仅 CUDA 支持 FP16</translation>
    </message>
    <message>
        <source>only the CPU computes in BF16</source>
        <translation>仅 CPU 支持 BF16</translation>
    </message>
    <message>
        <source>the new engine runs on the CPU only</source>
        <translation>新引擎仅在 CPU 上运行</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
</context>
<context>
    <name>vigil::ui::ObjectsPanel</name>
    <message>
        <source>Seen only</source>
        <translation>仅出现过的</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全选</translation>
    </message>
    <message>
        <source>None</source>
        <translation>全不选</translation>
    </message>
    <message>
        <source>Lowest score</source>
        <translation>最低置信度</translation>
    </message>
    <message>
        <source>Objects that the model is less sure of are left out</source>
        <translation>置信度更低的目标不予显示</translation>
    </message>
    <message>
        <source>Search classes</source>
        <translation>搜索类别</translation>
    </message>
    <message>
        <source>List only classes that were found since the source was opened</source>
        <translation>只列出打开来源以来出现过的类别</translation>
    </message>
    <message>
        <source>Look for every class</source>
        <translation>检测所有类别</translation>
    </message>
    <message>
        <source>Look for nothing</source>
        <translation>不检测任何类别</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>类别</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>类别</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>当前</translation>
    </message>
    <message>
        <source>Click a name to see that class alone, its box to add or remove it</source>
        <translation>点击名称只看该类别，点击方框增减类别</translation>
    </message>
    <message>
        <source>Load a model to find objects</source>
        <translation>加载模型以检测目标</translation>
    </message>
    <message numerus="yes">
        <source>%n object(s) in this frame</source>
        <translation>
            <numerusform>本帧有 %n 个目标</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The model knows %n class(es)</source>
        <translation>
            <numerusform>模型可识别 %n 个类别</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>vigil::ui::OutputDialog</name>
    <message>
        <source>Detections, JSON lines</source>
        <translation>检测结果，JSON 行</translation>
    </message>
    <message>
        <source>Detections, CSV table</source>
        <translation>检测结果，CSV 表格</translation>
    </message>
    <message>
        <source>Detections, MOTChallenge</source>
        <translation>检测结果，MOTChallenge</translation>
    </message>
    <message>
        <source>Annotated video</source>
        <translation>带标注的视频</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>另存为</translation>
    </message>
</context>
<context>
    <name>vigil::ui::PerformancePanel</name>
    <message>
        <source>Frames a second</source>
        <translation>每秒帧数</translation>
    </message>
    <message>
        <source>Capture to result</source>
        <translation>从采集到结果</translation>
    </message>
    <message>
        <source>Decoding</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>Preparing</source>
        <translation>预处理</translation>
    </message>
    <message>
        <source>Inference</source>
        <translation>推理</translation>
    </message>
    <message>
        <source>Finding boxes</source>
        <translation>提取检测框</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>写入</translation>
    </message>
    <message>
        <source>Frames captured</source>
        <translation>采集的帧</translation>
    </message>
    <message>
        <source>Frames processed</source>
        <translation>处理的帧</translation>
    </message>
    <message>
        <source>Skipped for newer ones</source>
        <translation>为较新的帧跳过</translation>
    </message>
    <message>
        <source>Damaged</source>
        <translation>损坏</translation>
    </message>
    <message>
        <source>Objects over time</source>
        <translation>目标数量变化</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>How old the picture is that you see</source>
        <translation>您看到的画面的延迟</translation>
    </message>
    <message>
        <source>now</source>
        <translation>现在</translation>
    </message>
    <message numerus="yes">
        <source>%n s ago</source>
        <translation>
            <numerusform>%n 秒前</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing was found yet</source>
        <translation>尚未检测到目标</translation>
    </message>
</context>
<context>
    <name>vigil::ui::SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>A new language shows after a restart.</source>
        <translation>新语言在重新启动后生效。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>配色</translation>
    </message>
    <message>
        <source>Line width of boxes</source>
        <translation>检测框线宽</translation>
    </message>
    <message>
        <source>Size of labels</source>
        <translation>标签字号</translation>
    </message>
    <message>
        <source>Folder for snapshots and recordings</source>
        <translation>截图和录制的文件夹</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>选择文件夹</translation>
    </message>
    <message>
        <source>%1 px</source>
        <translation>%1 像素</translation>
    </message>
</context>
<context>
    <name>vigil::ui::ShortcutSheet</name>
    <message>
        <source>Keyboard and mouse</source>
        <translation>键盘和鼠标</translation>
    </message>
    <message>
        <source>Wheel: zoom · Drag: move the zoomed picture · Double click: full screen
Hover over a box: its details · Click a class: only it</source>
        <translation>滚轮：缩放 · 拖动：移动放大的画面 · 双击：全屏
悬停在检测框上：查看详情 · 点击类别：只看该类别</translation>
    </message>
</context>
<context>
    <name>vigil::ui::StartPage</name>
    <message>
        <source>Recent</source>
        <translation>最近打开</translation>
    </message>
    <message>
        <source>Finds objects in videos, cameras and streams</source>
        <translation>在视频、摄像头和网络流中检测目标</translation>
    </message>
    <message>
        <source>Open video</source>
        <translation>打开视频</translation>
    </message>
    <message>
        <source>MP4, MKV, AVI, WebM …</source>
        <translation>MP4、MKV、AVI、WebM 等</translation>
    </message>
    <message>
        <source>Open camera</source>
        <translation>打开摄像头</translation>
    </message>
    <message>
        <source>Webcams and capture cards</source>
        <translation>网络摄像头和采集卡</translation>
    </message>
    <message>
        <source>Open stream</source>
        <translation>打开网络流</translation>
    </message>
    <message>
        <source>RTSP, HTTP and others</source>
        <translation>RTSP、HTTP 等</translation>
    </message>
    <message>
        <source>Open images</source>
        <translation>打开图像</translation>
    </message>
    <message>
        <source>A folder of pictures</source>
        <translation>图像文件夹</translation>
    </message>
    <message>
        <source>Demo</source>
        <translation>演示</translation>
    </message>
    <message>
        <source>A street scene and the model that came with Vigil</source>
        <translation>街景视频和 Vigil 自带的模型</translation>
    </message>
    <message>
        <source>Load model…</source>
        <translation>加载模型…</translation>
    </message>
    <message>
        <source>Or drop a video, an image, a folder or a model here.</source>
        <translation>也可以将视频、图像、文件夹或模型拖放到这里。</translation>
    </message>
    <message>
        <source>No model is loaded: give the ONNX file of a YOLOv10, with iRMB or not</source>
        <translation>未加载模型：请提供 YOLOv10 的 ONNX 文件，含不含 iRMB 均可</translation>
    </message>
</context>
<context>
    <name>vigil::ui::StreamDialog</name>
    <message>
        <source>Open stream</source>
        <translation>打开网络流</translation>
    </message>
    <message>
        <source>Address of the stream or of a video on a server</source>
        <translation>网络流或服务器上视频的地址</translation>
    </message>
    <message>
        <source>rtsp, rtmp, http and https addresses are understood. When a stream falls silent it is opened again by itself.</source>
        <translation>支持 rtsp、rtmp、http 和 https 地址。网络流中断后会自动重新打开。</translation>
    </message>
</context>
<context>
    <name>vigil::ui::TransportBar</name>
    <message>
        <source>Play or pause</source>
        <translation>播放或暂停</translation>
    </message>
    <message>
        <source>Stop: back to the start</source>
        <translation>停止并回到开头</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One frame forward</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>LIVE</source>
        <translation>直播</translation>
    </message>
    <message>
        <source>Start again at the end</source>
        <translation>循环播放</translation>
    </message>
    <message>
        <source>Show every frame, as fast as the model goes, instead of playing in real time and skipping frames</source>
        <translation>按模型速度显示每一帧，而不是实时播放并跳帧</translation>
    </message>
    <message>
        <source>Place in the video</source>
        <translation>视频中的位置</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>%1×</source>
        <translation>%1×</translation>
    </message>
    <message>
        <source>latency %1 ms</source>
        <translation>延迟 %1 毫秒</translation>
    </message>
    <message>
        <source>frame %1</source>
        <translation>第 %1 帧</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>image %1 of %2</source>
        <translation>第 %1 张，共 %2 张</translation>
    </message>
    <message>
        <source>Click or drag to go to another place</source>
        <translation>点击或拖动以跳到别处</translation>
    </message>
</context>
<context>
    <name>vigil::ui::VideoView</name>
    <message>
        <source>Picture</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>score %1
position %2, %3
size %4</source>
        <translation>置信度 %1
位置 %2, %3
大小 %4</translation>
    </message>
</context>
</TS>
