// Detects objects in one image: detect_image MODEL.onnx IMAGE
#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>

#include <opencv2/imgcodecs.hpp>

#include <iostream>

int main(int argc, char** argv) try {
    irmb::registerLayers();
    irmb::Model model = irmb::readModel(argc > 1 ? argv[1] : "");
    const cv::Mat image = cv::imread(argc > 2 ? argv[2] : "");
    for (const irmb::Detection& found : irmb::detect(model, image))
        std::cout << "class " << found.class_id << ", score " << found.score << ", " << found.box
                  << '\n';
} catch (const cv::Exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
