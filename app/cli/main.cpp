#include "command.hpp"

int main(int argc, char** argv) {
    return vigil::runProgram(argc, argv);
}
