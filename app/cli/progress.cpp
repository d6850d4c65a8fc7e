#include "progress.hpp"

#include "sink/text_format.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace vigil {
namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr std::chrono::seconds line_interval{10};

std::string clock(double seconds) {
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    const std::string rest = std::to_string(whole % 60);
    return std::to_string(whole / 60) + ":" + (rest.size() < 2 ? "0" : "") + rest;
}

std::string bar(double share) {
    constexpr int cells = 24;
    const int filled = static_cast<int>(share * cells);
    std::string text = "[";
    for (int i = 0; i < cells; ++i)
        text += i < filled ? '=' : ' ';
    return text + "] " + std::to_string(static_cast<int>(share * 100)) + "%";
}

} // namespace

Progress::Progress(int64_t total, bool quiet)
    : total_(total), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::update(int64_t done, int64_t dropped) {
    const Clock::time_point now = Clock::now();
    const Clock::duration interval = terminal_ ? Clock::duration(redraw_interval) : line_interval;
    if (quiet_ || now - last_ < interval)
        return;
    last_ = now;
    const double elapsed_s = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done) / elapsed_s;
    std::string text;
    if (total_ > 0)
        text = bar(std::min(1.0, static_cast<double>(done) / static_cast<double>(total_))) + "  ";
    text += std::to_string(done) + " frames  " + fixedDecimals(rate, 1) + "/s";
    if (total_ > done && rate > 0)
        text += "  " + clock(static_cast<double>(total_ - done) / rate) + " left";
    if (dropped > 0)
        text += "  " + std::to_string(dropped) + " dropped";
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
    std::fflush(stderr);
    drawn_ = terminal_;
}

void Progress::say(const char* line) const {
    if (!quiet_)
        std::fprintf(stderr, terminal_ ? "\r\033[K%s\n" : "%s\n", line);
}

void Progress::clear() {
    if (drawn_)
        std::fputs("\r\033[K", stderr);
    drawn_ = false;
}

} // namespace vigil
