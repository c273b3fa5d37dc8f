import Foundation
import SPDFormats
import Testing

/// Weight files in `convert`, `run` and `compile`, and errors for those that do not match.
@Suite struct WeightTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func tiny(_ weights: String, _ more: String...) async throws -> Outcome {
    try await spdc(
      arguments: ["run", Place.tiny, "--weights", weights, "--input", "synthetic", "--output", scratch("y.npy")] + more)
  }

  /// The synthetic weights of the tiny network, as a checkpoint, changed by `change`.
  private func tinyTensors(_ change: (inout [NamedTensor]) -> Void = { _ in }) async throws -> [NamedTensor] {
    try await spdc("compile", Place.tiny, "--weights", "synthetic", "--emit", "c", "-o", scratch("c")).succeeded()
    try await spdc("convert", scratch("c/tiny_spd.spdw"), scratch("tiny.npz")).succeeded()
    var tensors = try readNPZ(scratch("tiny.npz"))
    change(&tensors)
    return tensors
  }

  @Test func convertKeepsEveryValue() async throws {
    let answer = try await spdc("convert", Place.checkpoint, scratch("a.safetensors"), "--json").succeeded().object()
    #expect(answer["tensors"] as? Int == 349 && answer["classes"] as? Int == 5)
    #expect(answer["names"] as? [String] == ["circle", "square", "triangle", "star", "cross"])
    try await spdc("convert", scratch("a.safetensors"), scratch("b.npz")).succeeded()
    try await spdc("convert", scratch("b.npz"), scratch("c.safetensors")).succeeded()
    let original = try readCheckpoint(Place.checkpoint)
    for name in ["a.safetensors", "b.npz", "c.safetensors"] {
      let copy = try readCheckpoint(scratch(name))
      #expect(copy.order == original.order)
      for key in original.order {
        #expect(copy.tensors[key]?.shape == original.tensors[key]?.shape)
        #expect(copy.tensors[key]?.values == original.tensors[key]?.values)
      }
    }
    #expect(try readCheckpoint(scratch("a.safetensors")).classNames == original.classNames)
    try await spdc("convert", Place.checkpoint, scratch("h.safetensors"), "--half").succeeded()
    #expect(try bytes(scratch("h.safetensors")).count < bytes(scratch("a.safetensors")).count * 6 / 10)
    #expect(try readCheckpoint(scratch("h.safetensors")).order == original.order)
  }

  @Test func convertNeedsAnExtensionThatItKnows() async throws {
    (try await spdc("convert", Place.checkpoint, scratch("a.pt"))).failed(.usage, "must be .safetensors or .npz")
    (try await spdc("convert", scratch("none.pt"), scratch("a.npz"))).failed(.noInput, "no such weight file")
    (try await spdc("convert", Place.checkpoint, scratch("a.npz"), "--half")).failed(
      .usage, "--half needs a .safetensors")
    #expect(scratch.names.isEmpty)
  }

  @Test func weightsGiveTheSameThroughEveryFormat() async throws {
    let tensors = try await tinyTensors()
    try writeSafetensors(tensors, metadata: [:], to: scratch("t.safetensors"))
    try await tiny("synthetic").succeeded()
    let expected = try bytes(scratch("y.npy"))
    for file in ["t.safetensors", "tiny.npz", "c/tiny_spd.spdw"] {
      try await tiny(scratch(file)).succeeded()
      #expect(try bytes(scratch("y.npy")) == expected)
    }
  }

  @Test func classesComeFromTheShapesWhereNothingElseSays() async throws {
    let tensors = try await tinyTensors { tensors in
      for index in tensors.indices where tensors[index].tensor.shape.first == 10 {
        let tensor = tensors[index].tensor
        tensors[index].tensor = HostTensor(
          shape: [6] + tensor.shape.dropFirst(), values: Array(tensor.values.prefix(tensor.values.count / 10 * 6)))
      }
    }
    try writeNPZ(tensors, to: scratch("six.npz"))
    let run = try await tiny(scratch("six.npz")).succeeded()
    #expect(try readNPY(scratch("y.npy")).shape == [1, 6])
    #expect(run.errors.contains("tensors mapped"))
    (try await tiny(scratch("six.npz"), "--classes", "10"))
      .failed(.data, "does not fit tiny-spd", "is [6, 64] in the file, [10, 64] in the network")
  }

  @Test func resNet50With100ClassesIsRecognised() async throws {
    try await variant("resnet50-spd", classes: 100)
    let run = try await spdc(
      "run", "resnet50-spd", "--size", "32x32", "--weights", scratch("v.npz"), "--input", "synthetic", "--batch", "3",
      "--output", scratch("y.npy")
    ).succeeded()
    #expect(!run.errors.contains("warning"))
    let golden = try readNPY(Place.fixtures + "/golden/resnet50-spd-32x32-b3-c100.npy")
    #expect(excess(try readNPY(scratch("y.npy")), golden) <= 0)
  }

  @Test func resNet18ThatIsAResNet50IsRecognised() async throws {
    try await variant("resnet50-spd", classes: 200)
    let run = try await spdc(
      "explain", "resnet18-spd", "--size", "32x32", "--weights", scratch("v.npz"), "--json")
    #expect(try run.succeeded().object()["model"] as? String == "resnet50-spd")
    #expect(run.errors.contains("warning") && run.errors.contains("compiling resnet50-spd with 200 classes"))
    (try await spdc("explain", "resnet18", "--size", "32x32", "--weights", scratch("v.npz")))
      .failed(.data, "does not fit resnet18, but it fits resnet50-spd")
  }

  /// Synthetic weights of a network for a number of classes, without a word about how many.
  private func variant(_ model: String, classes: Int) async throws {
    try await spdc(
      "compile", model, "--size", "32x32", "--classes", "\(classes)", "--weights", "synthetic", "--emit", "c", "-o",
      scratch("v")
    ).succeeded()
    let prefix = model.replacingOccurrences(of: "-", with: "_")
    try await spdc("convert", scratch("v/\(prefix).spdw"), scratch("v.npz")).succeeded()
  }

  // MARK: - what does not fit

  @Test func missingKeysAndWrongShapesAreNamed() async throws {
    let tensors = try await tinyTensors { tensors in
      tensors.removeAll { $0.name == "5.running_mean" }
      let index = tensors.firstIndex { $0.name == "8.weight" }!
      let count = tensors[index].tensor.values.count
      tensors[index].tensor = HostTensor(shape: [count], values: tensors[index].tensor.values)
      tensors.append(("extra", HostTensor(shape: [1], values: [1])))
    }
    try writeNPZ(tensors, to: scratch("odd.npz"))
    (try await tiny(scratch("odd.npz"))).failed(
      .data, "odd.npz (npz) does not fit tiny-spd", "missing: 5.running_mean [32]",
      "shape: 8.weight is [8192] in the file, [64, 128, 1, 1] in the network",
      "the file has 1 keys that the network does not: extra")
    #expect(!exists(scratch("y.npy")))
  }

  @Test func unusedKeysAreReported() async throws {
    let tensors = try await tinyTensors { $0.append(("head.bias", HostTensor(shape: [1], values: [1]))) }
    try writeNPZ(tensors, to: scratch("more.npz"))
    let run = try await tiny(scratch("more.npz")).succeeded()
    #expect(run.errors.contains("1 of the file unused (head.bias)"))
  }

  @Test func weightsOfAnotherShippedModelAreRecognised() async throws {
    for model in ["yolov5-spd-s", "yolov5n", "resnet18"] {
      let run = try await spdc("explain", model, "--size", "64", "--weights", Place.checkpoint)
      run.failed(.data, "does not fit \(model), but it fits yolov5-spd-n:")
    }
    (try await spdc("explain", "yolov5-spd-n", "--size", "64", "--classes", "80", "--weights", Place.checkpoint))
      .failed(.data, "80 classes were requested, but the file has 5: give matching weights, or remove --classes")
  }

  @Test func weightsAreNeverGuessed() async throws {
    let run = try await spdc("run", Place.tiny, "--input", "synthetic", "--output", scratch("y.npy"))
    run.failed(.usage, "no weights: give --weights FILE, or --weights synthetic")
    (try await tiny(scratch("none.pt"))).failed(.noInput, "none.pt: no such weight file")
    (try await tiny(scratch.path)).failed(.data, "is a directory")
  }

  // MARK: - damaged and hostile

  @Test(arguments: [
    ("refused-legacy.pt", "before torch 1.6", "torch.save(model.state_dict(), …)"),
    ("refused-system.pt", "the pickle would call posix.system; refused", "never executes a pickle"),
    ("refused-eval.pt", "the pickle would call builtins.eval; refused", "or use safetensors"),
    ("refused-bare.pkl", "is a bare pickle", "torch.save"),
    ("refused-script.pt", "is a TorchScript program", "torch.jit.load"),
    ("refused-no-weights.pt", "holds no weights", "Save a state dict or a module"),
    ("npy-le-f4-C.npy", "is a single array, which has no name", "numpy.savez"),
  ]) func refusals(_ name: String, _ reason: String, _ remedy: String) async throws {
    (try await tiny(Place.formats + "/" + name)).failed(.data, name, reason, remedy)
    (try await spdc("convert", Place.formats + "/" + name, scratch("o.npz"))).failed(.data, name, reason, remedy)
    #expect(scratch.names.isEmpty)
  }

  @Test(arguments: ["pt", "safetensors", "npz", "spdw"]) func cutOffFilesAreErrors(_ kind: String) async throws {
    let tensors = try await tinyTensors()
    try writeSafetensors(tensors, metadata: [:], to: scratch("tiny.safetensors"))
    let whole = [
      "pt": Place.checkpoint, "safetensors": scratch("tiny.safetensors"), "npz": scratch("tiny.npz"),
      "spdw": scratch("c/tiny_spd.spdw"),
    ][kind]!
    let all = try bytes(whole)
    for count in [0, 1, 20, 100, all.count / 2, all.count - 1] {
      let file = try scratch.write(Array(all.prefix(count)), "cut.\(kind)")
      let run = try await spdc("convert", file, scratch("o.npz"))
      run.failed(.data, "cut.\(kind)")
    }
    #expect(!exists(scratch("o.npz")))
  }

  @Test func hostileHeadersAskForNoMemory() async throws {
    let huge = try scratch.write([UInt8](repeating: 0xff, count: 8) + Array("{}".utf8), "huge.safetensors")
    let run = try await spdc("convert", huge, scratch("o.npz"), shell: "ulimit -v 8000000")
    run.failed(.data, "huge.safetensors")
    let header = Array(
      #"{"a":{"dtype":"F32","shape":[4294967296,1048576],"data_offsets":[0,18014398509481984]}}"#.utf8)
    let claim = try scratch.write([UInt8(header.count)] + [UInt8](repeating: 0, count: 7) + header, "claim.safetensors")
    (try await spdc("convert", claim, scratch("o.npz"), shell: "ulimit -v 8000000")).failed(.data, "claim.safetensors")
  }

  @Test func aFlippedByteOfAParameterFileIsNamed() async throws {
    _ = try await tinyTensors()
    let whole = try bytes(scratch("c/tiny_spd.spdw"))
    for (position, reason) in [
      (0, "is not a weights file"), (4, "version"), (24, "cut off|points outside"),
      (64, "points outside|damaged|digest"),
      (64 + 16, "does not match its digest"), (whole.count / 2, "does not match its digest"),
    ] {
      var damaged = whole
      damaged[position] ^= 0x80
      let file = try scratch.write(damaged, "d.spdw")
      let run = try await tiny(file)
      #expect(run.code == Exit.data.rawValue && run.errors.contains("d.spdw"), "byte \(position): \(run.errors)")
      #expect(reason.split(separator: "|").contains { run.errors.contains($0) }, "byte \(position): \(run.errors)")
    }
  }

  @Test func aParameterFileOfAnotherNetworkIsNamed() async throws {
    _ = try await tinyTensors()
    (try await spdc("explain", "resnet18", "--size", "32", "--weights", scratch("c/tiny_spd.spdw")))
      .failed(.data, "does not fit resnet18", "missing: conv1.0.weight")
  }
}
