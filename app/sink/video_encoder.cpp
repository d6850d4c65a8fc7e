#include "video_encoder.hpp"

#include <opencv2/core.hpp>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <exception>
#include <thread>
#include <vector>

namespace vigil {
namespace {

using std::chrono::steady_clock;

#if LIBAVFORMAT_VERSION_MAJOR >= 61
using WriteBuffer = const uint8_t*;
#else
using WriteBuffer = uint8_t*;
#endif

constexpr int io_buffer_bytes = 64 * 1024;
constexpr std::chrono::seconds flush_interval{1};

struct Container {
    const char* ending;
    const char* muxer;
    std::vector<const char*> encoders; ///< best first; the last ones are in every FFmpeg
    bool frame_ticks;                  ///< counts time in frames of the nominal pace
};

const std::vector<Container>& containers() {
    static const std::vector<const char*> h264 = {"libx264", "libopenh264", "mpeg4"};
    static const std::vector<Container> list = {
        {"mp4", "mp4", h264, false},
        {"m4v", "mp4", h264, false},
        {"mov", "mov", h264, false},
        {"mkv", "matroska", h264, false},
        {"ts", "mpegts", {"libx264", "libopenh264", "mpeg2video"}, false},
        {"webm", "webm", {"libvpx", "libvpx-vp9"}, false},
        {"avi", "avi", {"mpeg4", "mjpeg"}, true},
    };
    return list;
}

const Container* findContainer(const std::string& ending) {
    for (const Container& container : containers())
        if (ending == container.ending)
            return &container;
    return nullptr;
}

std::string reason(int error) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(error, text.data(), text.size());
    return text.data();
}

struct Deleter {
    void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
    void operator()(AVFormatContext* p) const { avformat_free_context(p); }
    void operator()(AVFrame* p) const { av_frame_free(&p); }
    void operator()(AVPacket* p) const { av_packet_free(&p); }
    void operator()(SwsContext* p) const { sws_freeContext(p); }
    void operator()(AVIOContext* p) const {
        av_freep(&p->buffer);
        avio_context_free(&p);
    }
};
template <typename T>
using Handle = std::unique_ptr<T, Deleter>;

/// Options that an encoder does not know are of no concern: each has its own.
void setEncoderOptions(AVCodecContext& codec, const std::string& encoder) {
    if (encoder == "libx264") {
        av_opt_set(codec.priv_data, "preset", "veryfast", 0);
        av_opt_set(codec.priv_data, "tune", "zerolatency", 0); // holds no frame back
        av_opt_set(codec.priv_data, "crf", "21", 0);
    } else if (encoder == "libvpx" || encoder == "libvpx-vp9") {
        av_opt_set(codec.priv_data, "deadline", "realtime", 0);
        av_opt_set_int(codec.priv_data, "cpu-used", 8, 0);
        av_opt_set_int(codec.priv_data, "lag-in-frames", 0, 0);
        av_opt_set_int(codec.priv_data, "crf", 24, 0);
        codec.bit_rate = 20'000'000; // a ceiling: crf decides
    } else {
        codec.flags |= AV_CODEC_FLAG_QSCALE;
        codec.global_quality = 3 * FF_QP2LAMBDA;
    }
}

/// Ticks a second that the container and encoder can both express.
AVRational timeBase(const Container& container, const std::string& encoder, double fps) {
    constexpr int largest_term = 65535; // of MPEG-4's time base
    if (container.frame_ticks)
        return av_inv_q(av_d2q(fps, largest_term));
    return encoder == "mpeg4" ? AVRational{1, 60000} : AVRational{1, 90000};
}

} // namespace

struct VideoEncoder::Impl {
    Impl(OutputFile& file_in, const Container& container_in, cv::Size size, double fps_in);

    void openEncoder(cv::Size padded);
    void openMuxer();
    void convert(const cv::Mat& bgr);
    void send(const AVFrame* picture);
    void writePending(int64_t duration);
    void flushIfDue();
    void check(int result, const char* doing) const;

    static int writeBytes(void* self, WriteBuffer bytes, int count);
    static int64_t seekBytes(void* self, int64_t offset, int whence);

    OutputFile& file;
    const Container& container;
    double fps;
    std::string encoder_name;
    Handle<AVIOContext> io; // outlives the muxer
    Handle<AVFormatContext> muxer;
    Handle<AVCodecContext> codec;
    Handle<AVFrame> yuv;
    Handle<AVPacket> packet;
    Handle<AVPacket> pending; ///< waits for the next one, which tells how long it lasts
    Handle<SwsContext> scaler;
    cv::Mat padded_bgr;
    int64_t last_pts = -1;
    bool header_written = false;
    mutable std::exception_ptr io_error; ///< from within FFmpeg's callbacks
    steady_clock::time_point last_flush = steady_clock::now();
};

int VideoEncoder::Impl::writeBytes(void* self, WriteBuffer bytes, int count) {
    auto& impl = *static_cast<Impl*>(self);
    try {
        impl.file.write({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
        return count;
    } catch (...) {
        if (!impl.io_error)
            impl.io_error = std::current_exception();
        return AVERROR(EIO);
    }
}

int64_t VideoEncoder::Impl::seekBytes(void* self, int64_t offset, int whence) {
    auto& impl = *static_cast<Impl*>(self);
    if (whence == AVSEEK_SIZE)
        return AVERROR(ENOSYS);
    try {
        return impl.file.seek(offset, whence);
    } catch (...) {
        if (!impl.io_error)
            impl.io_error = std::current_exception();
        return AVERROR(EIO);
    }
}

void VideoEncoder::Impl::check(int result, const char* doing) const {
    if (io_error)
        std::rethrow_exception(std::exchange(io_error, nullptr));
    if (result < 0)
        CV_Error(cv::Error::StsError, file.name() + ": " + encoder_name + " " + doing + ": " +
                                          reason(result) + "; try another container, such as .mkv");
}

VideoEncoder::Impl::Impl(OutputFile& file_in, const Container& container_in, cv::Size size,
                         double fps_in)
    : file(file_in), container(container_in), fps(fps_in) {
    AVFormatContext* raw_muxer = nullptr;
    check(avformat_alloc_output_context2(&raw_muxer, nullptr, container.muxer, nullptr),
          "cannot be used");
    muxer.reset(raw_muxer);
    openEncoder({(size.width + 1) & ~1, (size.height + 1) & ~1});
    openMuxer();
}

void VideoEncoder::Impl::openEncoder(cv::Size padded) {
    const AVCodec* encoder = nullptr;
    for (const char* name : container.encoders)
        if (!encoder)
            encoder = avcodec_find_encoder_by_name(name);
    if (!encoder)
        CV_Error(cv::Error::StsNotImplemented, file.name() + ": this FFmpeg has no encoder for ." +
                                                   container.ending + "; use .avi or .mkv");
    encoder_name = encoder->name;
    codec.reset(avcodec_alloc_context3(encoder));
    codec->log_level_offset = AV_LOG_INFO - AV_LOG_ERROR; // no more than errors
    codec->width = padded.width;
    codec->height = padded.height;
    codec->pix_fmt = encoder_name == "mjpeg" ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
    codec->time_base = timeBase(container, encoder_name, fps);
    codec->framerate = av_d2q(fps, 1001000);
    codec->gop_size = std::clamp(static_cast<int>(std::lround(2 * fps)), 12, 120);
    codec->max_b_frames = 0;
    codec->thread_count = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
    if (muxer->oformat->flags & AVFMT_GLOBALHEADER)
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    setEncoderOptions(*codec, encoder_name);
    check(avcodec_open2(codec.get(), encoder, nullptr), "cannot be started");

    yuv.reset(av_frame_alloc());
    packet.reset(av_packet_alloc());
    pending.reset(av_packet_alloc());
    yuv->format = codec->pix_fmt;
    yuv->width = padded.width;
    yuv->height = padded.height;
    // Without SWS_ACCURATE_RND a shortcut in swscale makes pictures visibly darker.
    scaler.reset(sws_getContext(padded.width, padded.height, AV_PIX_FMT_BGR24, padded.width,
                                padded.height, codec->pix_fmt, SWS_BICUBIC | SWS_ACCURATE_RND,
                                nullptr, nullptr, nullptr));
    if (!scaler)
        CV_Error(cv::Error::StsError, file.name() + ": pictures of this size cannot be converted");
}

void VideoEncoder::Impl::openMuxer() {
    auto* buffer = static_cast<uint8_t*>(av_malloc(io_buffer_bytes));
    io.reset(avio_alloc_context(buffer, io_buffer_bytes, 1, this, nullptr, &writeBytes,
                                file.seekable() ? &seekBytes : nullptr));
    muxer->pb = io.get();
    muxer->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_FLUSH_PACKETS;
    AVStream* stream = avformat_new_stream(muxer.get(), nullptr);
    check(avcodec_parameters_from_context(stream->codecpar, codec.get()), "cannot be muxed");
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = codec->framerate;
    AVDictionary* options = nullptr;
    // A plain MP4 is unreadable until its index is written at the very end.
    av_dict_set(&options, "movflags", "empty_moov+default_base_moof+frag_custom", 0);
    const int result = avformat_write_header(muxer.get(), &options);
    av_dict_free(&options);
    check(result, "cannot start the file");
    header_written = true;
}

void VideoEncoder::Impl::convert(const cv::Mat& bgr) {
    const cv::Mat* picture = &bgr;
    if (bgr.cols != codec->width || bgr.rows != codec->height) {
        cv::copyMakeBorder(bgr, padded_bgr, 0, codec->height - bgr.rows, 0, codec->width - bgr.cols,
                           cv::BORDER_REPLICATE);
        picture = &padded_bgr;
    }
    // The encoder may still hold the last buffer: ask for a writable one each time.
    if (!yuv->buf[0])
        check(av_frame_get_buffer(yuv.get(), 0), "has no memory for a picture");
    check(av_frame_make_writable(yuv.get()), "has no memory for a picture");
    const uint8_t* rows[] = {picture->data};
    const int steps[] = {static_cast<int>(picture->step)};
    sws_scale(scaler.get(), rows, steps, 0, codec->height, yuv->data, yuv->linesize);
}

/// Null flushes the encoder. Packets come in the order of their pictures: there are no B-frames.
void VideoEncoder::Impl::send(const AVFrame* picture) {
    check(avcodec_send_frame(codec.get(), picture), "refuses a picture");
    for (;;) {
        const int result = avcodec_receive_packet(codec.get(), packet.get());
        if (result == AVERROR(EAGAIN) || result == AVERROR_EOF)
            return;
        check(result, "cannot encode");
        if (pending->size > 0)
            writePending(packet->pts - pending->pts);
        av_packet_move_ref(pending.get(), packet.get());
    }
}

void VideoEncoder::Impl::writePending(int64_t duration) {
    if (pending->size == 0)
        return;
    pending->duration = duration;
    pending->stream_index = 0;
    av_packet_rescale_ts(pending.get(), codec->time_base, muxer->streams[0]->time_base);
    check(av_write_frame(muxer.get(), pending.get()), "cannot write");
    av_packet_unref(pending.get());
}

/// Ends the fragment or cluster under way, which makes it readable, once a second.
void VideoEncoder::Impl::flushIfDue() {
    const auto now = steady_clock::now();
    if (now - last_flush < flush_interval)
        return;
    last_flush = now;
    check(av_write_frame(muxer.get(), nullptr), "cannot write");
    avio_flush(io.get());
    check(io->error, "cannot write");
}

VideoEncoder::VideoEncoder(OutputFile& file, const std::string& container, cv::Size size,
                           double fps) {
    const Container* found = findContainer(container);
    CV_Assert(found && fps > 0 && !size.empty());
    impl_ = std::make_unique<Impl>(file, *found, size, fps);
}

VideoEncoder::~VideoEncoder() = default;

void VideoEncoder::encode(const cv::Mat& bgr, double time_ms) {
    Impl& impl = *impl_;
    impl.convert(bgr);
    const double ticks = time_ms / 1000 / av_q2d(impl.codec->time_base);
    impl.last_pts = std::max<int64_t>(std::llround(ticks), impl.last_pts + 1);
    impl.yuv->pts = impl.last_pts;
    impl.send(impl.yuv.get());
    impl.flushIfDue();
}

void VideoEncoder::finish() {
    Impl& impl = *impl_;
    impl.send(nullptr);
    impl.writePending(std::lround(1 / (impl.fps * av_q2d(impl.codec->time_base))));
    impl.check(av_write_trailer(impl.muxer.get()), "cannot complete the file");
    avio_flush(impl.io.get());
    impl.check(impl.io->error, "cannot complete the file");
}

std::string VideoEncoder::encoderName() const {
    return impl_->encoder_name;
}

bool VideoEncoder::knows(const std::string& container) {
    return findContainer(container) != nullptr;
}

} // namespace vigil
