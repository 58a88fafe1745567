#include "plumbline/model/llama/gguf_info.h"

#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "plumbline/model/llama/llama_log.h"

namespace plumbline {
namespace {

constexpr std::string_view kFetchHint =
    "fetch it again, or pass another file with --model; `plumbline models fetch` gets the default";

struct GgufDeleter {
  void operator()(gguf_context* context) const { gguf_free(context); }
};
struct GgmlDeleter {
  void operator()(ggml_context* context) const { ggml_free(context); }
};

Status CheckBeginning(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return Fail(ErrorCode::kModelFile, path + ": no such file", std::string(kFetchHint));
  }
  if (std::filesystem::is_directory(status)) {
    return Fail(ErrorCode::kModelFile, path + ": is a folder, not a GGUF file",
                "name the .gguf file in it");
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> magic{};
  if (!file) {
    return Fail(ErrorCode::kModelFile, path + ": can't be read", "check the file's permissions");
  }
  file.read(magic.data(), magic.size());
  if (file.gcount() == 0) {
    return Fail(ErrorCode::kModelFile, path + ": the file is empty", std::string(kFetchHint));
  }
  if (file.gcount() < 4 || std::memcmp(magic.data(), "GGUF", 4) != 0) {
    return Fail(ErrorCode::kModelFile, path + ": not a GGUF file (it doesn't begin with 'GGUF')",
                "Plumbline reads GGUF; llama.cpp's convert_hf_to_gguf.py makes one from a Hugging "
                "Face folder");
  }
  return {};
}

/// Typed look-ups in the header; absent or otherwise typed keys give defaults.
class Header {
 public:
  explicit Header(const gguf_context* context) : context_(context) {}

  std::string Text(const std::string& key) const {
    const int64_t id = gguf_find_key(context_, key.c_str());
    if (id < 0 || gguf_get_kv_type(context_, id) != GGUF_TYPE_STRING) return {};
    return gguf_get_val_str(context_, id);
  }
  int Number(const std::string& key) const {
    const int64_t id = gguf_find_key(context_, key.c_str());
    if (id < 0) return 0;
    switch (gguf_get_kv_type(context_, id)) {
      case GGUF_TYPE_UINT32:
        return static_cast<int>(gguf_get_val_u32(context_, id));
      case GGUF_TYPE_INT32:
        return gguf_get_val_i32(context_, id);
      case GGUF_TYPE_UINT64:
        return static_cast<int>(gguf_get_val_u64(context_, id));
      default:
        return 0;
    }
  }
  int ArrayLength(const std::string& key) const {
    const int64_t id = gguf_find_key(context_, key.c_str());
    if (id < 0 || gguf_get_kv_type(context_, id) != GGUF_TYPE_ARRAY) return 0;
    return static_cast<int>(gguf_get_arr_n(context_, id));
  }
  bool Has(const std::string& key) const { return gguf_find_key(context_, key.c_str()) >= 0; }

 private:
  const gguf_context* context_;
};

// Sums over the tensors: weights, the type that holds most of them, and the last byte needed.
int64_t AddTensors(const gguf_context* gguf, ggml_context* tensors, GgufInfo& info) {
  std::map<std::string, int64_t> weights_by_type;
  int64_t end = static_cast<int64_t>(gguf_get_data_offset(gguf));
  const int64_t data = end;
  info.tensors = static_cast<int>(gguf_get_n_tensors(gguf));
  for (int64_t i = 0; i < info.tensors; ++i) {
    const ggml_tensor* tensor = ggml_get_tensor(tensors, gguf_get_tensor_name(gguf, i));
    const int64_t weights = tensor == nullptr ? 0 : ggml_nelements(tensor);
    info.parameters += weights;
    weights_by_type[ggml_type_name(gguf_get_tensor_type(gguf, i))] += weights;
    end = std::max(end, data + static_cast<int64_t>(gguf_get_tensor_offset(gguf, i) +
                                                    gguf_get_tensor_size(gguf, i)));
  }
  int64_t most = -1;
  for (const auto& [type, weights] : weights_by_type) {
    if (weights > most) info.quantization = type;
    most = std::max(most, weights);
  }
  return end;
}

}  // namespace

Result<GgufInfo> ReadGgufInfo(const std::string& path) {
  llama::SilenceLlamaLog();
  PLUMBLINE_TRY(CheckBeginning(path));
  ggml_context* raw_tensors = nullptr;
  const std::unique_ptr<gguf_context, GgufDeleter> gguf(
      gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/&raw_tensors}));
  const std::unique_ptr<ggml_context, GgmlDeleter> tensors(raw_tensors);
  if (gguf == nullptr) {
    return Fail(ErrorCode::kModelFile,
                path + ": the GGUF header is damaged or cut off" + llama::RecentLlamaError(": "),
                std::string(kFetchHint));
  }
  GgufInfo info;
  info.path = path;
  info.file_bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  const int64_t needed = AddTensors(gguf.get(), tensors.get(), info);
  if (info.file_bytes < needed) {
    return Fail(ErrorCode::kModelFile,
                path + ": truncated: has " + std::to_string(info.file_bytes) + " bytes, needs " +
                    std::to_string(needed),
                std::string(kFetchHint));
  }
  const Header header(gguf.get());
  info.type = header.Has("general.type") ? header.Text("general.type") : "model";
  info.architecture = header.Text("general.architecture");
  info.name = header.Text("general.name");
  info.context_tokens = header.Number(info.architecture + ".context_length");
  info.layers = header.Number(info.architecture + ".block_count");
  info.embedding_size = header.Number(info.architecture + ".embedding_length");
  info.sliding_window = header.Number(info.architecture + ".attention.sliding_window");
  for (const char* key : {".ssm.state_size", ".wkv.head_size", ".shortconv.l_cache"}) {
    info.recurrent |= header.Has(info.architecture + key);
  }
  info.vocabulary_size = header.ArrayLength("tokenizer.ggml.tokens");
  info.has_chat_template = header.Has("tokenizer.chat_template");
  return info;
}

}  // namespace plumbline
