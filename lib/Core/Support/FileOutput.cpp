//===- FileOutput.cpp - Write a file or leave it untouched ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The temporary file lies in the destination's folder, so that the rename is
// atomic. A symbolic link is followed first: what it points to is replaced, not
// the link. Data is synchronised before the rename, so that a full disk or a
// crash cannot leave a short file under the final name.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/FileOutput.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <system_error>
#include <unistd.h>

using namespace llvm;

static Error cannotWrite(StringRef path, std::error_code code) {
  return createStringError(code, "cannot write '%s': %s", path.str().c_str(),
                           code.message().c_str());
}

/// Runs `write` on the descriptor and reports what the stream met.
static Error writeTo(int descriptor, StringRef path,
                     function_ref<Error(raw_ostream &)> write) {
  raw_fd_ostream stream(descriptor, /*shouldClose=*/false);
  Error error = write(stream);
  stream.flush();
  std::error_code code = stream.error();
  // An error left in the stream ends the program in its destructor.
  stream.clear_error();
  if (error)
    return error;
  return code ? cannotWrite(path, code) : Error::success();
}

Error mlir::prune::writeFile(StringRef path,
                             function_ref<Error(raw_ostream &)> write) {
  if (path == "-")
    return writeTo(STDOUT_FILENO, path, write);

  sys::fs::file_status status;
  bool exists = !sys::fs::status(path, status);
  if (exists && status.type() == sys::fs::file_type::directory_file)
    return cannotWrite(path, std::make_error_code(std::errc::is_a_directory));
  if (exists && status.type() != sys::fs::file_type::regular_file) {
    int descriptor;
    if (std::error_code code = sys::fs::openFileForWrite(
            path, descriptor, sys::fs::CD_OpenExisting))
      return cannotWrite(path, code);
    Error error = writeTo(descriptor, path, write);
    ::close(descriptor);
    return error;
  }

  SmallString<128> target(path);
  if (exists) {
    if (std::error_code code = sys::fs::real_path(path, target))
      return cannotWrite(path, code);
    if (!sys::fs::can_write(target))
      return cannotWrite(path,
                         std::make_error_code(std::errc::permission_denied));
  }
  unsigned mode = sys::fs::all_read | sys::fs::all_write;
  Expected<sys::fs::TempFile> temporary =
      sys::fs::TempFile::create(target + ".tmp%%%%%%%%", mode);
  if (!temporary)
    return cannotWrite(path, errorToErrorCode(temporary.takeError()));

  Error error = writeTo(temporary->FD, path, write);
  if (!error && ::fsync(temporary->FD) != 0)
    error = cannotWrite(path, std::error_code(errno, std::generic_category()));
  if (!error && exists)
    (void)sys::fs::setPermissions(temporary->FD, status.permissions());
  if (error)
    return joinErrors(std::move(error), temporary->discard());
  if (Error failed = temporary->keep(target))
    return joinErrors(cannotWrite(path, errorToErrorCode(std::move(failed))),
                      temporary->discard());
  return Error::success();
}
