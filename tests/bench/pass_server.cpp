#include <irmb_dnn/model.hpp>

#include <opencv2/core.hpp>

#include <chrono>
#include <iostream>
#include <string>

/// Runs one forward pass for each line on the standard input and prints its milliseconds:
///     pass_server MODEL plain|off|auto|bf16 THREADS
/// "plain" leaves everything to OpenCV, "off" everything but iRMBs. tools/bench_models.py lets
/// several of these take turns. The first line that it prints is the
/// time that reading the model took.
int main(int argc, char** argv) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
        return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    };
    if (argc != 4) {
        std::cerr << "usage: pass_server MODEL plain|off|auto|bf16 THREADS\n";
        return 2;
    }
    const std::string mode = argv[2];
    irmb::ReadOptions options;
    if (mode == "plain")
        options.fusion = irmb::Fusion::Off;
    if (mode == "plain" || mode == "off")
        options.cpu_acceleration = irmb::CpuAcceleration::Off;
    if (mode == "bf16")
        options.precision = irmb::Precision::Bfloat16;
    cv::setNumThreads(std::stoi(argv[3]));
    try {
        const auto start = Clock::now();
        irmb::Model model = irmb::readModel(argv[1], options);
        std::cout << since(start) << std::endl;
        cv::Mat input(model.info.input_shape, CV_32F);
        cv::RNG rng(1);
        rng.fill(input, cv::RNG::UNIFORM, 0.f, 1.f);
        for (std::string line; std::getline(std::cin, line);) {
            model.net.setInput(input);
            const auto pass = Clock::now();
            irmb::forward(model);
            std::cout << since(pass) << std::endl;
        }
    } catch (const cv::Exception& error) {
        std::cerr << error.err << '\n';
        return 1;
    }
    return 0;
}
