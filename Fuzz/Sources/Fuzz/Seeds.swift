import Foundation
import SPD
import SPDRuntime

/// Valid inputs: the tests' fixtures, and some that are made here.
enum Seeds {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// The files in a folder of the repository whose names end in one of the suffixes.
  static func files(_ folder: String, _ suffixes: [String]) -> [[UInt8]] {
    let place = "\(repository)/\(folder)"
    return ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
      .filter { name in suffixes.contains { name.hasSuffix($0) } }
      .compactMap { FileManager.default.contents(atPath: "\(place)/\($0)").map { Array($0) } }
  }

  /// The recorded images whose names start with one of the prefixes.
  static func images(_ prefixes: [String]) -> [[UInt8]] {
    struct Recorded: Decodable {
      var name: String
      var file: Data
    }
    let data = FileManager.default.contents(atPath: "\(repository)/Tests/SPDVisionTests/Fixtures/decode.json") ?? Data()
    return ((try? JSONDecoder().decode([Recorded].self, from: data)) ?? [])
      .filter { recorded in prefixes.contains { recorded.name.hasPrefix($0) } }.map { Array($0.file) }
  }

  static let netpbm: [[UInt8]] = [
    Array("P6\n# made by hand\n3 2 255\n".utf8) + (0..<18).map { UInt8($0 * 13) },
    Array("P5 4 4 15\n".utf8) + (0..<16).map { UInt8($0) }, Array("P5 2 2 65535\n".utf8) + (0..<8).map { UInt8($0) },
  ]

  static let yaml = [
    "model: resnet18-spd\nepochs: 3\nbatch: 16\nlr: 0.1\nnesterov: true\nmean: [0.5, 0.5, 0.5]\ndata: shapes\n",
    "model: tiny.swift\noptimizer: adam\nlr: 1e-3\nflip-horizontal: 0.5\nseed: 7\nlimit: 100\n",
  ].map { Array($0.utf8) }

  static let sweep = [
    "trials: 30\nseed: 5\nspace:\n  lr: {log: [1e-4, 1]}\n  batch: [8, 16]\n  momentum: {linear: [0.5, 0.99], steps: 4}\n",
    "space: {optimizer: [sgd, adam], nesterov: [true, false], batch: [1, 2, 3]}\n",
  ].map { Array($0.utf8) }

  private static let model = Model("fuzz", input: .image(3, 16, 16), classes: 5) { image, classes in
    let stem = image.through(Conv2D(8, kernel: 3, bias: false), BatchNorm(), SiLU(), SpaceToDepth())
    let side = stem.through(Conv2D(8, kernel: 1), LeakyReLU(0.1))
    let up = side.through(MaxPool(2)).upsampled(2)
    return concat(up, side.channels(0..<4)).through(
      Conv2D(8, kernel: 3, stride: 2, padding: 1, groups: 4), Hardswish(), AveragePool(2), GlobalAveragePool(),
      Flatten(), Linear(classes), Softmax())
  }

  static let graphs: [[UInt8]] = {
    guard let graph = try? model.graph(), let data = try? JSONEncoder().encode(graph) else { return [] }
    return [Array(data)]
  }()

  static let parameterFiles: [[UInt8]] = {
    guard let graph = try? model.graph(),
      let file = try? ParameterFile(
        graphHash: 1, parameters: graph.parameters.filter { $0.shape.count <= 4 },
        values: { [Float](repeating: 0.5, count: $0.count) })
    else { return [] }
    return [file.withBytes { Array($0) }]
  }()
}
