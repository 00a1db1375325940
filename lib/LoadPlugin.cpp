//===- LoadPlugin.cpp - Criteria, patterns and passes of others -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plugin links libPrune.so, which has entries of the same names itself: what
// is found has to lie in the plugin's own file.
//
//===----------------------------------------------------------------------===//

#include "prune/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"

#include <dlfcn.h>
#include <mutex>
#include <vector>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Twine;

namespace {
/// The plugins of this process.
struct Loaded {
  std::mutex mutex;
  llvm::StringSet<> paths;
  std::vector<void (*)(DialectRegistry *)> dialects;
};
} // namespace

static Loaded &getLoaded() {
  static Loaded loaded;
  return loaded;
}

/// The address of a function that the file itself defines, or null.
static void *findOwn(llvm::sys::DynamicLibrary &library, StringRef path,
                     const char *name) {
  void *address = library.getAddressOfSymbol(name);
  Dl_info info;
  if (!address || !dladdr(address, &info) || !info.dli_fname)
    return nullptr;
  return llvm::sys::fs::equivalent(Twine(info.dli_fname), path) ? address
                                                                : nullptr;
}

template <typename Info>
static llvm::Expected<Info> getInfo(void *entry, StringRef path) {
  Info info = reinterpret_cast<Info (*)()>(entry)();
  if (info.apiVersion != MLIR_PLUGIN_API_VERSION)
    return createStringError(
        "plugin '" + path + "' is of version " + Twine(info.apiVersion) +
        " of MLIR's plugin interface, but " + Twine(MLIR_PLUGIN_API_VERSION) +
        " is needed; build it with this MLIR");
  if (StringRef(info.pluginName) == "prune")
    return createStringError("'" + path +
                             "' is prune itself, which is here already");
  return info;
}

Error mlir::prune::loadPlugin(StringRef path) {
  Loaded &loaded = getLoaded();
  std::lock_guard<std::mutex> guard(loaded.mutex);
  if (loaded.paths.contains(path))
    return Error::success();
  if (!llvm::sys::fs::exists(path))
    return createStringError("cannot load plugin '" + path +
                             "': there is no such file");
  std::string reason;
  // With a folder, or the loader looks in its own.
  SmallString<128> absolute(path);
  llvm::sys::fs::make_absolute(absolute);
  auto library =
      llvm::sys::DynamicLibrary::getPermanentLibrary(absolute.c_str(), &reason);
  if (!library.isValid())
    return createStringError("cannot load plugin '" + path + "': " + reason);
  void *dialects = findOwn(library, path, "mlirGetDialectPluginInfo");
  void *passes = findOwn(library, path, "mlirGetPassPluginInfo");
  if (!dialects && !passes)
    return createStringError(
        "'" + path +
        "' is no plugin: it defines neither mlirGetDialectPluginInfo nor "
        "mlirGetPassPluginInfo");
  if (dialects) {
    auto info = getInfo<DialectPluginLibraryInfo>(dialects, path);
    if (!info)
      return info.takeError();
    loaded.dialects.push_back(info->registerDialectRegistryCallbacks);
  }
  if (passes) {
    auto info = getInfo<PassPluginLibraryInfo>(passes, path);
    if (!info)
      return info.takeError();
    info->registerPassRegistryCallbacks();
  }
  loaded.paths.insert(path);
  return Error::success();
}

void mlir::prune::registerPluginDialects(DialectRegistry &registry) {
  Loaded &loaded = getLoaded();
  std::lock_guard<std::mutex> guard(loaded.mutex);
  for (auto *add : loaded.dialects)
    add(&registry);
}
