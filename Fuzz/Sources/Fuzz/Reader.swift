import Foundation
import SPD
import SPDData
import SPDFormats
import SPDRuntime
import SPDTraining
import SPDVision

/// A kind of input and the function that reads it.
struct Reader: Sendable {
  let name: String
  /// The name of the input file, in a folder of its own.
  let file: String
  let seeds: @Sendable () -> [[UInt8]]
  /// Corrects what would make the reader refuse every mutation, such as checksums.
  var finish: @Sendable (_ original: [UInt8], _ seeds: [[UInt8]], inout Random) -> [UInt8] = {
    original, seeds, random in
    Mutation.mutated(original, others: seeds, &random)
  }
  /// Makes the other files that the reader needs, once.
  var prepare: @Sendable (_ folder: String) throws -> Void = { _ in }
  /// - Throws: where the input is refused.
  let read: @Sendable (_ folder: String, _ file: String) throws -> Void

  static let all = files + detection

  /// Checkpoints, arrays, classification data sets, images, graphs and settings.
  private static let files = [
    Reader(
      name: "safetensors", file: "input.safetensors",
      seeds: { Seeds.files("Tests/SPDFormatsTests/Fixtures", [".safetensors"]) }, read: { _ = try readCheckpoint($1) }),
    Reader(
      name: "json", file: "input.safetensors",
      seeds: { Seeds.files("Tests/SPDFormatsTests/Fixtures", [".safetensors"]) }, finish: mutatedHeader,
      read: { _ = try readSafetensors($1) }),
    Reader(
      name: "npy", file: "input.npy", seeds: { Seeds.files("Tests/SPDFormatsTests/Fixtures", [".npy"]) },
      read: { _ = try readNPY($1) }),
    Reader(
      name: "npz", file: "input.npz",
      seeds: { Seeds.files("Tests/SPDFormatsTests/Fixtures", ["stored.npz", "deflated.npz", "tied.expected.npz"]) },
      finish: mutatedArchive, read: { _ = try readNPZ($1) }),
    Reader(
      name: "torch", file: "input.pt",
      seeds: {
        Seeds.files("Tests/SPDFormatsTests/Fixtures", [".pt"])
          + Seeds.files("Tests/SPDFormatsTests/HostileFixtures", ["stride-overflow.pt"])
      }, finish: mutatedArchive, read: { _ = try readCheckpoint($1) }),
    Reader(
      name: "pickle", file: "input",
      seeds: {
        Seeds.files("Tests/SPDDataTests/Fixtures/cifar-10-batches-py", ["1", "2", "meta"])
          + Seeds.files("Tests/SPDDataTests/Fixtures/cifar-100-python", ["meta", "test"])
      },
      read: { _, file in
        let table = try PickledTable(contentsOf: file)
        for key in table.keys.prefix(8) {
          _ = try? table.integers(key)
          _ = try? table.texts(key)
          _ = try? table.bytes(key)
        }
      }),
    Reader(
      name: "cifar", file: "data_batch_2.bin", seeds: { [(0..<3073 * 2).map { UInt8($0 % 10) }] },
      prepare: { folder in
        let batch = [UInt8](repeating: 1, count: 3073)
        for name in ["data_batch_1", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
          try writeAtomically(to: "\(folder)/\(name).bin") { try $0.write(batch) }
        }
        let names = (0..<10).map { "class \($0)\n" }.joined()
        try writeAtomically(to: "\(folder)/batches.meta.txt") { try $0.write(Array(names.utf8)) }
      }, read: { folder, _ in try readAll(folder) }),
    Reader(
      name: "idx", file: "train-images-idx3-ubyte", seeds: { [Seeds.idxImages] },
      prepare: { try Seeds.writeIDX(to: $0) }, read: { folder, _ in try readAll(folder) }),
    Reader(
      name: "idx-gzip", file: "train-images-idx3-ubyte.gz", seeds: { Seeds.packedIDX }, finish: mutatedGzip,
      prepare: { try Seeds.writeIDX(to: $0) }, read: { folder, _ in try readAll(folder) }),
    Reader(
      name: "jpeg", file: "input.jpg",
      seeds: { Seeds.images(["jpeg"]) + Seeds.files("Tests/Fixtures/shapes", [".jpg"]).filter { $0.count < 20_000 } },
      read: { _ = try Image(contentsOf: $1) }),
    Reader(
      name: "exif", file: "input.jpg", seeds: { Seeds.images(["exif"]) }, finish: mutatedStart,
      read: { _ = try Image(contentsOf: $1) }),
    Reader(
      name: "png", file: "input.png", seeds: { Seeds.images(["png"]) },
      finish: { original, seeds, random in
        let bytes = Mutation.mutated(original, others: seeds, &random)
        return random.below(8) == 0 ? bytes : Containers.checkedPNG(bytes)
      }, read: { _ = try Image(contentsOf: $1) }),
    Reader(
      name: "netpbm", file: "b/input.ppm", seeds: { Seeds.netpbm },
      prepare: { folder in
        for name in ["a", "b"] {
          try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        try writeAtomically(to: "\(folder)/a/1.ppm") { try $0.write(Seeds.netpbm[0]) }
      }, read: { folder, _ in try readAll(folder) }),
    Reader(
      name: "tiny-imagenet", file: "val/val_annotations.txt",
      seeds: { [Array("a.ppm\tn01\t0\t0\t3\t3\nb.ppm\tn02\t0\t0\t3\t3\n".utf8)] },
      prepare: { folder in
        for place in ["train/n01/1", "train/n02/2", "val/images/a", "val/images/b"] {
          let path = "\(folder)/\(place).ppm"
          try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
          try writeAtomically(to: path) { try $0.write(Seeds.netpbm[0]) }
        }
        try writeAtomically(to: "\(folder)/wnids.txt") { try $0.write(Array("n01\nn02\n".utf8)) }
      }, read: { folder, _ in try readAll(folder) }),
    Reader(
      name: "spdw", file: "input.spdw", seeds: { Seeds.parameterFiles },
      read: { _ = try ParameterFile(mapping: $1).tensors(path: $1) }),
    Reader(
      name: "graph", file: "input.json", seeds: { Seeds.graphs },
      read: { _, file in
        let graph = try JSONDecoder().decode(Graph.self, from: Data(try readWholeFile(file)))
        try graph.verify()
      }),
    Reader(
      name: "settings", file: "input.yaml", seeds: { Seeds.yaml },
      read: { _ = try TrainingConfiguration.resolve(file: $1) }),
    Reader(name: "sweep", file: "input.yaml", seeds: { Seeds.sweep }, read: { _ = try SweepSpace(contentsOf: $1) }),
  ]

  /// Opens a data set and decodes its images.
  private static func readAll(_ folder: String) throws {
    var options = DatasetOptions()
    options.validationFraction = 1
    let data = try openDataset(folder, options: options)
    for set in [data.training, data.validation] { for index in 0..<set.count { _ = try set.sample(index) } }
  }

  /// Mutates the text of a safetensors header and corrects its length.
  private static func mutatedHeader(_ original: [UInt8], _ seeds: [[UInt8]], _ random: inout Random) -> [UInt8] {
    let length = original.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let headers = seeds.map { Array($0.dropFirst(8).prefix(200)) }
    let header = Mutation.mutated(Array(original[8..<8 + length]), others: headers, &random)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + original[(8 + length)...]
  }

  /// Mutates an entry of an archive and corrects its checksum; sometimes mutates the archive itself.
  private static func mutatedArchive(_ original: [UInt8], _ seeds: [[UInt8]], _ random: inout Random) -> [UInt8] {
    guard random.below(6) > 0, var entries = Containers.storedEntries(original), !entries.isEmpty else {
      return Mutation.mutated(original, others: seeds, &random)
    }
    let pickle = entries.firstIndex { $0.name.suffix(8).elementsEqual("data.pkl".utf8) }
    let chosen = random.below(4) == 0 ? random.below(entries.count) : pickle ?? random.below(entries.count)
    entries[chosen].data = Mutation.mutated(entries[chosen].data, others: entries.map(\.data), &random)
    if random.below(10) == 0 { entries.swapAt(random.below(entries.count), random.below(entries.count)) }
    return Containers.zip(entries)
  }

  /// Mutates what a gzip file of stored blocks holds and packs it again; sometimes mutates the file itself.
  private static func mutatedGzip(_ original: [UInt8], _ seeds: [[UInt8]], _ random: inout Random) -> [UInt8] {
    guard random.below(3) > 0, let content = Containers.storedContent(original) else {
      return Mutation.mutated(original, others: seeds, &random)
    }
    return Containers.gzip(Mutation.mutated(content, others: seeds, &random))
  }

  /// Mutates the first hundred bytes, which contain the Exif block.
  private static func mutatedStart(_ original: [UInt8], _ seeds: [[UInt8]], _ random: inout Random) -> [UInt8] {
    let head = Mutation.mutated(Array(original[2..<min(100, original.count)]), others: seeds, &random)
    return original.prefix(2) + head + original.dropFirst(100)
  }
}
