# Writes text files into a C++ source: cmake -DOUT=... -DFUNCTION=... -DFILES=a;b -P embed_files.cmake
# defines `std::span<const EmbeddedFile> FUNCTION()`, in the order of FILES, names without suffix.
set(body "")
foreach(file ${FILES})
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" text)
  string(APPEND body "    {\"${name}\", R\"embedded_text(${text})embedded_text\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made by embed_files.cmake; do not edit.
#include \"plumbline/scoring/embedded_files.h\"

namespace plumbline {

std::span<const EmbeddedFile> ${FUNCTION}() {
  static constexpr EmbeddedFile kFiles[] = {
${body}  };
  return kFiles;
}

}  // namespace plumbline
")
