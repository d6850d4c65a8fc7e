#include "command.hpp"
#include "detect/version.hpp"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <vector>

namespace vigil {
namespace {

using AddCommand = Command (*)(CLI::App& program);

// In the order in which --help lists them.
const std::vector<AddCommand> add_commands = {addRunCommand,    addInfoCommand,  addEvalCommand,
                                              addVerifyCommand, addBenchCommand, addConvertCommand};

int reportError(std::string message, ExitCode code) {
    std::replace(message.begin(), message.end(), '\n', ' ');
    while (!message.empty() && (message.back() == ' ' || message.back() == '\r'))
        message.pop_back();
    std::cerr << "vigil: error: " << message << std::endl;
    return code;
}

/// Runs `work` and turns what it throws into one line and an exit code.
int guarded(const std::function<int()>& work) {
    try {
        return work();
    } catch (const UsageError& error) {
        return reportError(error.what(), ExitUsage);
    } catch (const cv::Exception& error) {
        // what() wraps the message in OpenCV's file and line.
        return reportError(error.err.empty() ? error.what() : error.err, ExitFailure);
    } catch (const std::bad_alloc&) {
        return reportError("out of memory; use a smaller input size or batch", ExitFailure);
    } catch (const std::exception& error) {
        return reportError(error.what(), ExitFailure);
    } catch (...) {
        return reportError("unknown exception", ExitFailure);
    }
}

/// Errors reach the user once, as exceptions; OpenCV's own prints of the same would double them.
void silenceOpenCv() {
    cv::redirectError([](int, const char*, const char*, const char*, int, void*) { return 0; });
    if (!std::getenv("OPENCV_LOG_LEVEL"))
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

/// Makes sure that what was printed arrived. A reader that left early is no error.
int finishOutput(int exit_code) {
    errno = 0;
    std::cout.flush();
    if (std::cout.good() || errno == EPIPE)
        return exit_code;
    const std::string reason = errno != 0 ? std::strerror(errno) : "write failed";
    return reportError("standard output: " + reason, ExitFailure);
}

std::string helpHint(const std::vector<Command>& commands) {
    for (const Command& command : commands)
        if (command.parser->parsed())
            return "; see vigil " + command.parser->get_name() + " --help";
    return "; see vigil --help";
}

/// What was given in place of a command, as in "vigil bogus"; empty where that is not the mistake.
std::string unknownCommand(const CLI::App& program) {
    const std::vector<std::string> rest = program.remaining();
    const bool is_word = !rest.empty() && rest.front().rfind('-', 0) != 0;
    return is_word && program.get_subcommands().empty() ? rest.front() : "";
}

std::string faultText(const CLI::App& program, const std::vector<Command>& commands,
                      const CLI::ParseError& error) {
    const std::string wrong = unknownCommand(program);
    if (wrong.empty())
        return error.what() + helpHint(commands);
    std::string names;
    for (const Command& command : commands)
        names += (names.empty() ? "" : ", ") + command.parser->get_name();
    return "'" + wrong + "' is not a command; there are " + names + helpHint(commands);
}

int parseAndRun(CLI::App& program, const std::vector<Command>& commands, int argc,
                const char* const* argv) {
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& request) {
        return program.exit(request);
    } catch (const CLI::ParseError& error) {
        return reportError(faultText(program, commands, error), ExitUsage);
    }
    for (const Command& command : commands)
        if (command.parser->parsed())
            return guarded(command.run);
    std::cout << program.help();
    return ExitOk;
}

} // namespace

int runProgram(int argc, const char* const* argv) {
    std::signal(SIGPIPE, SIG_IGN);
    silenceOpenCv();
    CLI::App program{"Vigil: YOLOv10 with iRMB blocks on video and images.", "vigil"};
    program.set_version_flag("--version", versionText);
    program.require_subcommand(0, 1);
    program.footer("vigil COMMAND --help explains a command by example.");
    std::vector<Command> commands;
    for (const AddCommand add : add_commands)
        commands.push_back(add(program));
    return finishOutput(guarded([&] { return parseAndRun(program, commands, argc, argv); }));
}

} // namespace vigil
