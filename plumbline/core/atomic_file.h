// Whole files that are complete or absent, whatever happens while they are written.
#pragma once

#include <string>
#include <string_view>

#include "plumbline/core/result.h"

namespace plumbline {

/// Writes `content` to `path`: a reader, and a machine that loses power, finds the old file or the
/// whole new one. The content goes to a temporary file in the same folder, which is synced and
/// renamed. A `path` that exists and isn't a regular file (a pipe, a device) is written directly.
/// kNotFound if the folder doesn't exist; kIo, and then the old file is untouched.
Status WriteFileAtomically(const std::string& path, std::string_view content);

/// Makes the names in the folder of `path` durable: to be called after a file was created, renamed
/// or removed there. kIo.
Status SyncFolderOf(const std::string& path);

}  // namespace plumbline
