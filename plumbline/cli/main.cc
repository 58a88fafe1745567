#include "plumbline/cli/program.h"

int main(int argc, char** argv) { return plumbline::RunProgram(argc, argv); }
