import Foundation
import SPDFormats
import Testing

@testable import SPDTraining

/// A checkpoint with everything that one can have. Larger ones have the same tensors, longer.
func sampleCheckpoint(epoch: Int = 3, length: Int = 6) -> TrainingCheckpoint {
  var history = TrainingHistory(columns: ["train/loss", "val/top1"])
  for number in 1..<epoch { history.append(epoch: number, ["train/loss": 0.1 * Double(number)]) }
  history.append(epoch: epoch, ["train/loss": .nan, "val/top1": .infinity])
  var state = TrainingState(
    configuration: TrainingPreset.configuration(named: "resnet18-spd", model: "m")!, history: history)
  state.epoch = epoch
  state.iteration = 17
  state.updates = 1234
  state.best = .init(epoch: min(2, epoch), metric: 0.1 + 0.2)
  state.generators = ["dropout": [.max, 0, 1 << 63]]
  var running = RunningAverage()
  running.add(1 / 3, weight: 64)
  state.running = ["loss": running]

  func tensors(_ seed: Float) -> [NamedTensor] {
    let odd: [Float] = [seed, -0.0, .nan, .infinity, .leastNonzeroMagnitude, 0.1]
    let values = (0..<length).map { (index: Int) -> Float in odd[index % 6] + Float(index / 6) }
    return [
      ("fc.weight", HostTensor(shape: [2, length / 2], values: values)),
      ("fc.bias", HostTensor(shape: [], values: [seed])), ("module.x", HostTensor(shape: [0, 3], values: [])),
    ]
  }
  var checkpoint = TrainingCheckpoint(weights: tensors(1), state: state)
  checkpoint.optimizer = ["momentum": tensors(2), "variance": Array(tensors(3).prefix(1))]
  checkpoint.average = Array(tensors(4).prefix(2))
  checkpoint.classNames = ["cat", "\"dog\" ü"]
  checkpoint.facts = ["graph": "00ff"]
  return checkpoint
}

struct CheckpointTests {
  private func bits(_ tensors: [NamedTensor]) -> [String] {
    tensors.map { "\($0.name) \($0.tensor.shape) \($0.tensor.values.map(\.bitPattern))" }
  }

  private func expectSame(_ first: TrainingCheckpoint, _ second: TrainingCheckpoint) {
    #expect(bits(first.weights) == bits(second.weights))
    #expect(bits(first.average) == bits(second.average))
    #expect(first.optimizer.mapValues(bits) == second.optimizer.mapValues(bits))
    // NaN is not equal to itself, so that the texts are compared.
    #expect("\(first.state)".replacing("-nan", with: "nan") == "\(second.state)".replacing("-nan", with: "nan"))
    #expect(first.classNames == second.classNames && first.facts == second.facts)
  }

  @Test func roundTrip() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("last.safetensors")
    try sampleCheckpoint().write(to: path)
    let read = try TrainingCheckpoint(contentsOf: path)
    expectSame(read, sampleCheckpoint())
    let first = try bytes(path)
    try read.write(to: path)
    #expect(try bytes(path) == first)
    #expect(folder.names == ["last.safetensors"])
  }

  /// An ordinary reader of weights finds the plain names, the classes, and what else there is under prefixes.
  @Test func isAWeightFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("last.safetensors")
    var checkpoint = sampleCheckpoint()
    checkpoint.weights.removeLast()
    checkpoint.optimizer = ["momentum": checkpoint.weights]
    try checkpoint.write(to: path)
    let file = try readCheckpoint(path)
    #expect(
      file.order == [
        "fc.weight", "fc.bias", "optimizer.momentum.fc.weight", "optimizer.momentum.fc.bias", "ema.fc.weight",
        "ema.fc.bias",
      ])
    #expect(file.classNames == ["cat", "\"dog\" ü"] && file.classes == 2)
    #expect(file.order.filter { !CheckpointFormat.isTrainingState($0) } == ["fc.weight", "fc.bias"])

    let averaged = try inferenceWeights(of: file, path: path)
    #expect(averaged.order == ["fc.weight", "fc.bias"])
    #expect(averaged.tensors["fc.bias"] == HostTensor(shape: [], values: [4]))
    #expect(averaged.origin == "training checkpoint, epoch 4, unfinished, ema" && averaged.classes == 2)

    checkpoint.average = []
    checkpoint.state.iteration = 0
    try checkpoint.write(to: path)
    let plain = try inferenceWeights(of: readCheckpoint(path), path: path)
    #expect(plain.tensors["fc.bias"] == HostTensor(shape: [], values: [1]))
    #expect(plain.origin == "training checkpoint, epoch 3")

    // Another weight file passes.
    try writeSafetensors([("a", HostTensor(shape: [1], values: [1]))], to: path)
    #expect(try inferenceWeights(of: readCheckpoint(path), path: path).order == ["a"])
  }

  @Test func truncated() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("c.safetensors")
    try sampleCheckpoint().write(to: path)
    let whole = try bytes(path)
    for length in stride(from: 0, to: whole.count, by: 61) {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
      #expect(message { _ = try TrainingCheckpoint(contentsOf: path) }?.hasPrefix(path + ": ") == true)
    }
  }

  /// A changed bit anywhere is noticed, and where it is in a tensor, the tensor is named.
  @Test func corrupted() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("c.safetensors")
    try sampleCheckpoint().write(to: path)
    let whole = try bytes(path)
    for index in stride(from: 0, to: whole.count, by: 3) {
      var damaged = whole
      damaged[index] ^= 1 << (index % 8)
      try Data(damaged).write(to: URL(fileURLWithPath: path))
      #expect(message { _ = try TrainingCheckpoint(contentsOf: path) } != nil, "byte \(index)")
    }
    var damaged = whole
    damaged[whole.count - 1] ^= 1
    try Data(damaged).write(to: URL(fileURLWithPath: path))
    #expect(
      message { _ = try TrainingCheckpoint(contentsOf: path) }
        == "\(path): the tensor ema.fc.bias is damaged. Resume from another checkpoint of the run")
  }

  @Test func incompleteOrForeign() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("c.safetensors")
    func refusal(_ tensors: [NamedTensor], _ metadata: [String: String]) throws -> String? {
      try writeSafetensors(tensors, metadata: metadata, to: path)
      return message { _ = try TrainingCheckpoint(contentsOf: path) }.map { String($0.dropFirst(path.count + 2)) }
    }
    try sampleCheckpoint().write(to: path)
    let file = try readSafetensors(path)
    let tensors = file.order.map { (name: $0, tensor: file.tensors[$0]!) }
    let elsewhere = "Resume from another checkpoint of the run"

    #expect(try refusal(tensors.dropLast(), file.metadata) == "the tensor ema.fc.bias is missing. \(elsewhere)")
    #expect(
      try refusal(tensors.dropLast(2), file.metadata)
        == "the tensor ema.fc.bias is missing, and 1 more. \(elsewhere)")
    #expect(
      try refusal(tensors + [("more", HostTensor(shape: [], values: [1]))], file.metadata)
        == "the tensor more does not belong to it. \(elsewhere)")
    var metadata = file.metadata
    metadata["state"] = file.metadata["state"]!.replacing("1234", with: "1235")
    #expect(try refusal(tensors, metadata) == "its state is damaged. \(elsewhere)")
    metadata["checksums"] = nil
    #expect(try refusal(tensors, metadata) == "its state or its checksums are missing. \(elsewhere)")

    metadata = file.metadata
    metadata["format"] = "spdc training checkpoint 9"
    #expect(
      try refusal(tensors, metadata) == "is a checkpoint of another version (spdc training checkpoint 9). "
        + "Resume with the version of spdc that wrote it")
    metadata = file.metadata
    metadata["state"] = "{}"
    metadata["checksums"] = metadata["checksums"]!.replacing(
      CheckpointFormat.checksum(file.metadata), with: CheckpointFormat.checksum(metadata))
    #expect(
      try refusal(tensors, metadata)?.hasPrefix("its state is of another version of spdc (no ") == true)
    #expect(
      try refusal(tensors, [:]) == "is not a training checkpoint: it has no state. "
        + "Give a file from the checkpoints folder of a run; training cannot resume from weights alone")
    #expect(message { _ = try TrainingCheckpoint(contentsOf: "/none") } == "/none: no such checkpoint")
    let other = try folder.write("hello", "x.safetensors")
    #expect(message { _ = try TrainingCheckpoint(contentsOf: other) }?.contains("is not a weights file") == true)
  }

  @Test func bestIsKept() {
    var state = sampleCheckpoint().state
    state.best = nil
    let metrics = [Double.nan, 0.5, 0.5, 0.4, 0.6, .nan]
    var isBest: [Bool] = []
    for (index, metric) in metrics.enumerated() { isBest.append(state.noteValidation(metric, epoch: index + 1)) }
    #expect(isBest == [false, true, false, false, true, false])
    #expect(state.best == .init(epoch: 5, metric: 0.6))
  }

  /// Where the system stops a file from growing, as a full disk does, the old checkpoint stays as it was.
  @Test func fullDisk() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = folder.file("last.safetensors")
      try sampleCheckpoint(epoch: 1).write(to: path)
      let before = try bytes(path)
      // A process of its own, so that the limit is nobody else's.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let problem = message { try sampleCheckpoint(epoch: 2, length: 60_000).write(to: path) }
      #expect(problem == "\(path): cannot be written: File too large")
      #expect(try bytes(path) == before)
      #expect(folder.names == ["last.safetensors"])
      #expect(try TrainingCheckpoint(contentsOf: path).state.epoch == 1)
    }
  }

  /// A killed run always leaves an intact checkpoint: the old one or the new one.
  @Test func killedWhileWriting() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("last.safetensors")
    for delay in [1, 4, 9, 16, 25] as [Int] {
      try sampleCheckpoint(epoch: 1, length: 200_000).write(to: path)
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, delay = delay as Int] in
        Thread.detachNewThread {
          usleep(UInt32(delay) * 1000)
          kill(getpid(), SIGKILL)
        }
        while true { try sampleCheckpoint(epoch: 2, length: 200_000).write(to: path) }
      }
      #expect([1, 2].contains(try TrainingCheckpoint(contentsOf: path).state.epoch))
    }
  }
}
