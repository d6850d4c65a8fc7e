#include "run_program.hpp"

#include "npy_files.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/wait.h>

namespace vigil::test {
namespace {

std::string readFile(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

int waitFor(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

ProgramResult runVigil(const std::vector<std::string>& arguments) {
    const std::string out = temporaryPath(".out");
    const std::string err = temporaryPath(".err");
    std::vector<char*> argv = {const_cast<char*>(VIGIL_PROGRAM)};
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    const int flags = O_CREAT | O_WRONLY | O_TRUNC;
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, 0600);
    pid_t child = 0;
    const int failed =
        ::posix_spawn(&child, VIGIL_PROGRAM, &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        ADD_FAILURE() << "cannot start " << VIGIL_PROGRAM;
        return {};
    }
    ProgramResult result;
    result.exit_code = waitFor(child);
    result.out = readFile(out);
    result.err = readFile(err);
    return result;
}

} // namespace vigil::test
