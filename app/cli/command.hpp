#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <stdexcept>

namespace vigil {

/// One subcommand. `run` is called after the command line was parsed, when the subcommand was
/// named, and returns the exit code; what it throws, main() turns into one line on stderr.
struct Command {
    CLI::App* parser = nullptr;
    std::function<int()> run;
};

/// Exit codes of the program.
enum ExitCode {
    ExitOk = 0,
    ExitFailure = 1, ///< something went wrong at run time, or a comparison failed
    ExitUsage = 2    ///< the command line makes no sense
};

/// Thrown by Command::run for a mistake in the command line that only shows after parsing.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Each command lives in <name>_command.cpp, declares its options here on a new subcommand of
// `program` and keeps their values alive in the closure that it returns. main() lists them.
Command addRunCommand(CLI::App& program);
Command addEvalCommand(CLI::App& program);
Command addInfoCommand(CLI::App& program);
Command addVerifyCommand(CLI::App& program);
Command addBenchCommand(CLI::App& program);
Command addConvertCommand(CLI::App& program);

/// Parses the command line, runs the chosen command and reports its errors. Ignores SIGPIPE: a
/// reader that goes away ends the program quietly.
int runProgram(int argc, const char* const* argv);

} // namespace vigil
