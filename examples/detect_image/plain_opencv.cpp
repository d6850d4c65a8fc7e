// Runs a file that `vigil convert` wrote with nothing but OpenCV's own functions, once the layer is
// registered: plain_opencv CONVERTED.onnx IMAGE
#include <irmb_dnn/layers.hpp>

#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>

#include <iostream>

int main(int argc, char** argv) try {
    irmb::registerLayers();
    cv::dnn::Net net = cv::dnn::readNetFromONNX(cv::String(argc > 1 ? argv[1] : ""));
    const cv::Mat image = cv::imread(argc > 2 ? argv[2] : "");
    net.setInput(cv::dnn::blobFromImage(image, 1 / 255.0, image.size(), {}, true));
    const cv::Mat output = net.forward();
    std::cout << "output of shape " << output.size << '\n';
} catch (const cv::Exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
