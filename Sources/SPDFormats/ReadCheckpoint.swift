/// Reads the weights of a network from a safetensors file, a numpy archive (.npz) or a PyTorch checkpoint (a zip
/// archive:
/// a state dict or a whole pickled module). The content decides, not the name. Nothing in the file is executed.
///
/// All numbers are converted to float32. `module.` prefixes are stripped from the keys.
///
/// - Throws: `FormatError` where the file cannot be opened, has another format, is damaged, or has no weights.
public func readCheckpoint(_ path: String) throws -> Checkpoint {
  try parseCheckpoint(readWholeFile(path), path: path)
}

private let saveAgain = "Load it with torch 1.6 or later and write it again with torch.save(model.state_dict(), …)"

/// Parses a checkpoint in memory; `path` is for messages.
func parseCheckpoint(_ bytes: [UInt8], path: String) throws -> Checkpoint {
  func refusal(_ problem: String, _ remedy: String) -> FormatError {
    FormatError(path: path, problem: problem, remedy: remedy)
  }
  switch FileKind(bytes) {
  case .safetensors: return try strippingPrefixes(parseSafetensors(bytes, path: path), path: path)
  case .zip: return try parseZip(ZipArchive(bytes, path: path))
  case .npy:
    throw refusal("is a single array, which has no name", "Write the arrays with numpy.savez, named by their keys")
  case .legacyTorch: throw refusal("is a PyTorch file of the format before torch 1.6, which is not read", saveAgain)
  case .pickle: throw refusal("is a bare pickle, which is not read", saveAgain)
  case .tar: throw refusal("is a tar archive, which is not read; old versions of torch wrote such files", saveAgain)
  case .gitLFS:
    throw refusal("is a Git LFS pointer, not the file itself", "Fetch the file with git lfs pull")
  case .unknown:
    let start =
      bytes.isEmpty ? "it is empty" : "it starts with \(quoted(String(decoding: bytes.prefix(8), as: UTF8.self)))"
    throw refusal(
      "is not a weights file: \(start)",
      "Accepted are safetensors, numpy .npz and PyTorch .pt/.pth (torch 1.6 or later)")
  }
}

private func parseZip(_ archive: ZipArchive) throws -> Checkpoint {
  if let torch = try TorchArchive(archive) { return try strippingPrefixes(parseTorch(torch), path: archive.path) }
  guard !archive.entries.isEmpty, isNPZ(archive) else {
    throw FormatError(
      path: archive.path, problem: "is a zip archive without weights: it holds neither data.pkl nor .npy arrays only",
      remedy: "Accepted are safetensors, numpy .npz and PyTorch .pt/.pth (torch 1.6 or later)")
  }
  var checkpoint = Checkpoint(origin: "npz")
  for (name, tensor) in try parseNPZ(archive) {
    checkpoint.tensors[name] = tensor
    checkpoint.order.append(name)
  }
  return try strippingPrefixes(checkpoint, path: archive.path)
}

/// Strips the prefixes that wrappers add to keys: `module.` of DataParallel, `_orig_mod.` of torch.compile.
private func strippingPrefixes(_ checkpoint: Checkpoint, path: String) throws -> Checkpoint {
  let wrappers = ["module.", "_orig_mod."]
  func stripped(_ key: String) -> String {
    var rest = key[...]
    while let wrapper = wrappers.first(where: { rest.hasPrefix($0) }) { rest = rest.dropFirst(wrapper.count) }
    return rest.isEmpty ? key : String(rest)
  }
  guard checkpoint.order.contains(where: { stripped($0) != $0 }) else { return checkpoint }
  var result = checkpoint
  result.tensors = [:]
  result.order = checkpoint.order.map(stripped)
  for (old, new) in zip(checkpoint.order, result.order) {
    guard result.tensors.updateValue(checkpoint.tensors[old]!, forKey: new) == nil else {
      throw FormatError(path: path, problem: "has \(quoted(new)) twice once the prefix \"module.\" is stripped")
    }
  }
  return result
}
