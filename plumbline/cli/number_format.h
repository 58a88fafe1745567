// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace plumbline {

std::string GroupDigits(int64_t number);    ///< "1,234,567".
std::string FormatSeconds(double seconds);  ///< "0.42 s", "12.3 s", "2 min 05 s", "1 h 02 min".
std::string FormatBytes(int64_t bytes);     ///< "93.4 MB".
std::string FormatCount(double count);      ///< "134.5 M", "1.5 B".
std::string FormatValue(double value);      ///< "+0.83".

}  // namespace plumbline
