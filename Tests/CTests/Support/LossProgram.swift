import Foundation
import SPD
import SPDCompiler
import SPDReference
import SPDTemplates
import TestSupport
import Testing

@testable import SPDDriver

/// The templates of losses and optimisers in one program, with its driver.
enum LossProgram {
  static let maxTargets = 40

  struct YOLO: Sendable {
    var classes: Int
    var anchors: Int
    var reference: Int
    var levels: [(logits: TensorLayout, gradient: TensorLayout)]

    init(batch: Int, classes: Int, anchors: Int, reference: Int, grids: [Size2D], halo: Int) {
      self.classes = classes
      self.anchors = anchors
      self.reference = reference
      levels = grids.map { grid in
        let shape = Shape(batch: batch, channels: anchors * (5 + classes), height: grid.height, width: grid.width)
        return (LossProgram.layout(shape, halo: halo), LossProgram.layout(shape, halo: 2 - halo))
      }
    }
  }

  static let yolo = [
    YOLO(batch: 2, classes: 80, anchors: 3, reference: 1, grids: [8, 4, 2], halo: 1),
    YOLO(batch: 3, classes: 4, anchors: 2, reference: 0, grids: [Size2D(6, 10), Size2D(3, 5)], halo: 2),
    YOLO(batch: 1, classes: 1, anchors: 2, reference: 0, grids: [Size2D(5, 7)], halo: 0),
    YOLO(batch: 2, classes: 11, anchors: 4, reference: 0, grids: [Size2D(17, 33)], halo: 0),
  ]

  static let entropy = [(4, 200), (7, 10), (1, 1), (5, 3)].map { batch, classes in
    let shape = Shape(batch: batch, channels: classes, height: 1, width: 1)
    return (logits: layout(shape, halo: 0), gradient: layout(shape, halo: 1))
  }

  /// Every function, operation and reduction, over maps and vectors of whole and broken blocks.
  static let composed: [(loss: LossExpression, layouts: (logits: TensorLayout, gradient: TensorLayout))] = [
    (
      .mean { y, t in sqrt((y - t) * (y - t) + 1e-6) + 0.25 * abs(y) },
      Shape(batch: 2, channels: 20, height: 5, width: 3)
    ),
    (
      .sum { y, t in -t * (1 - softmax(y)) * (1 - softmax(y)) * logSoftmax(y) },
      Shape(batch: 7, channels: 10, height: 1, width: 1)
    ),
    (
      .sum { y, t in softplus(y) - t * y + 0.1 * max(y, 2 * t) * min(y, 1) },
      Shape(batch: 3, channels: 32, height: 1, width: 1)
    ),
    (
      .mean { y, t in exp(0.3 * y) / (1 + sigmoid(y)) + log(1 + y * y) * channelSum(y * t) },
      Shape(batch: 1, channels: 3, height: 2, width: 9)
    ),
  ].map { (loss: Loss, shape: Shape) in
    (loss.expression, (layout(shape, halo: 1), layout(shape, halo: 2)))
  }

  /// Gaps between the entries; some are longer than a unit of the kernel, some begin or end within one.
  static let ranges = [
    LossHoles.Range(offset: 0, count: 13, group: 0), LossHoles.Range(offset: 16, count: 1, group: 1),
    LossHoles.Range(offset: 48, count: 9001, group: 2), LossHoles.Range(offset: 9056, count: 33, group: nil),
    LossHoles.Range(offset: 9104, count: 3184, group: 1), LossHoles.Range(offset: 12288, count: 4096, group: nil),
    LossHoles.Range(offset: 16384, count: 7, group: 0),
  ]
  static let count = 16400

  /// With its origin at the start: a halo to the right and below only.
  private static func layout(_ shape: Shape, halo: Int) -> TensorLayout {
    var layout = TensorLayout(shape: shape)
    (layout.halo.right, layout.halo.bottom) = (halo, halo)
    return layout
  }

  /// The filled templates and the driver's tables.
  static func text(lanes: Int) throws -> String {
    let templates = Templates(try SPDTemplates.load())
    var text = try templates.fill("prelude", ["VL": "\(lanes)"])
    for support in ["clamp", "training", "training_math", "vector_math", "loss_math", "composed_math"] {
      text += try templates.fill(support, [:])
    }
    var (yoloCases, entropyCases): ([String], [String]) = ([], [])
    for (index, network) in yolo.enumerated() {
      let name = "yolo\(index)"
      let shapes = network.levels.map(\.logits.shape)
      text += try templates.fill(
        "yolo_loss",
        LossHoles.yolo(
          classes: network.classes, anchors: network.anchors, levels: network.levels,
          reference: network.reference, maxTargets: maxTargets
        ).merging(["NAME": name]) { $1 })
      let scratch = LossHoles.yoloScratch(shapes, anchors: network.anchors, maxTargets: maxTargets)
      let counts = [network.levels.map(\.logits.count), network.levels.map(\.gradient.count)]
        .map { "{" + $0.map(String.init).joined(separator: ", ") + "}" }
      yoloCases.append(
        "{\(name), \(name)_check, \(shapes.count), \(network.anchors), \(scratch), \(counts[0]), \(counts[1])}")
    }
    for (index, layouts) in entropy.enumerated() {
      let name = "entropy\(index)"
      text += try templates.fill(
        "cross_entropy",
        LossHoles.crossEntropy(logits: layouts.logits, gradient: layouts.gradient).merging(["NAME": name]) { $1 })
      let images = layouts.logits.shape.batch
      let scratch = LossHoles.crossEntropyScratch(images: images)
      entropyCases.append(
        "{\(name), \(name)_check, \(images), \(scratch), \(layouts.logits.count), \(layouts.gradient.count)}")
    }
    var composedCases: [String] = []
    for (index, each) in composed.enumerated() {
      let (name, layouts) = ("composed\(index)", each.layouts)
      let holes = LossHoles.composed(each.loss, output: layouts.logits, gradient: layouts.gradient)
      text += try templates.fill("composed_loss", holes.merging(["NAME": name]) { $1 })
      let shape = layouts.logits.shape
      composedCases.append(
        "{\(name), \(name)_check, \(shape.batch), \(shape.count), \(LossHoles.composedScratch(shape)), "
          + "\(layouts.logits.count), \(layouts.gradient.count)}")
    }
    text += try templates.fill("optimizer_rules", ["NAME": "update"])
    text += try templates.fill(
      "optimizer", LossHoles.optimizer(ranges: ranges, count: count).merging(["NAME": "update"]) { $1 })
    return text + "\n#define YOLO_CASES " + yoloCases.joined(separator: ", ")
      + "\n#define ENTROPY_CASES " + entropyCases.joined(separator: ", ")
      + "\n#define COMPOSED_CASES " + composedCases.joined(separator: ", ")
      + "\n#define OPTIMIZER_CASES {update, update_accumulate, \(count), \(LossHoles.optimizerScratch(count: count))}\n"
  }

  /// How the program is built.
  struct Build: Sendable, CustomTestStringConvertible {
    var kind: CCompiler.Kind
    var lanes: Int
    var sanitized = false
    var testDescription: String { "\(kind), \(lanes) lanes\(sanitized ? ", sanitized" : "")" }

    /// The widest vectors by both compilers, none at all, and what sanitizers find; all widths in the long matrix.
    static let all =
      [Build(kind: .clang, lanes: 16), Build(kind: .clang, lanes: 1), Build(kind: .gcc, lanes: 16)]
      + [Build(kind: .gcc, lanes: 4, sanitized: true)]
      + (testsLongMatrix ? [(.clang, 4), (.clang, 8), (.gcc, 1)] : []).map { Build(kind: $0, lanes: $1) }

    /// The optimiser, which takes most of the time, is tested once.
    var flags: [String] { testsLongMatrix || (kind == .clang && lanes == 16) ? Workshop.fast : Workshop.quick }
  }

  /// What the program answers; it ends with an error if a number of threads changes a byte.
  static func answer(_ build: Build, _ requests: Words) async throws -> Words {
    let compiler = try CCompiler.first(build.kind)
    let flags = try await flags(build, compiler)
    let program = try await Workshop.shared.once("losses \(build)") { place in
      try text(lanes: build.lanes)
        .write(to: place.appendingPathComponent("cases.h"), atomically: true, encoding: .utf8)
      let program = place.appendingPathComponent("losses")
      try await Workshop.shared.mustRun(
        compiler.path,
        flags + ["-I\(place.path)", "\(Workshop.drivers.path)/losses.c", "-o", program.path])
      return program
    }
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("spdc-losses-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    let (asked, answered) = (place.appendingPathComponent("requests"), place.appendingPathComponent("results"))
    try requests.words.withUnsafeBytes { Data($0) }.write(to: asked)
    // The program keeps its arrays to the end.
    try await Workshop.shared.mustRun(
      program.path, [asked.path, answered.path], environment: ["ASAN_OPTIONS": "detect_leaks=0"])
    return Words(try floats(answered).map(\.bitPattern))
  }

  private static func flags(_ build: Build, _ compiler: CCompiler) async throws -> [String] {
    if build.sanitized {
      let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O0"] + Workshop.strict
      let probe = try? await Workshop.shared.once("losses sanitizer") { place in
        let (source, program) = (place.appendingPathComponent("probe.c"), place.appendingPathComponent("probe"))
        try "int main(void) { return 0; }\n".write(to: source, atomically: true, encoding: .utf8)
        try await Workshop.shared.mustRun(compiler.path, flags + [source.path, "-o", program.path])
        return program
      }
      if probe == nil { try Test.cancel("\(compiler.path) has no sanitizers here") }
      return flags
    }
    let toolchain = try await Toolchain.find()
    if compiler.path == toolchain.compiler { return build.flags + toolchain.openMPFlags }
    return build.flags + (build.kind == .gcc ? ["-fopenmp"] : [])
  }
}

/// Words of 32 bits that are written to the driver, or read from it in the same order.
struct Words: Sendable {
  private(set) var words: [UInt32]
  private var next = 0

  init(_ words: [UInt32] = []) { self.words = words }

  mutating func append(_ number: Int) { words.append(UInt32(bitPattern: Int32(number))) }
  mutating func append(_ number: Float) { words.append(number.bitPattern) }
  mutating func append(_ numbers: [Float]) { words += numbers.map(\.bitPattern) }
  mutating func append(_ numbers: [Int]) { numbers.forEach { append($0) } }

  /// An activation in its layout; what is padding holds numbers that must not matter.
  mutating func append(_ values: Values, _ layout: TensorLayout) {
    var numbers = [Float](repeating: 3e4, count: layout.count)
    for (index, at) in layout.places.enumerated() { numbers[at] = Float(values.elements[index]) }
    append(numbers)
  }

  mutating func int() throws -> Int { Int(Int32(bitPattern: try take(1)[0])) }
  mutating func floats(_ count: Int) throws -> [Double] { try take(count).map { Double(Float(bitPattern: $0)) } }

  /// The values of a gradient: padded lanes are zero, its halo has not been touched.
  mutating func values(_ layout: TensorLayout) throws -> Values {
    var numbers = try floats(layout.count)
    let places = layout.places
    let result = Values(layout.shape, places.map { numbers[$0] })
    for at in places { numbers[at] = 0 }
    let lanes = TensorLayout(
      shape: Shape(
        batch: layout.shape.batch, channels: layout.blocks * 16, height: layout.shape.height, width: layout.shape.width),
      halo: layout.halo)
    for at in lanes.places {
      #expect(numbers[at] == 0)
      numbers[at] = .nan
    }
    #expect(numbers.allSatisfy { $0.isNaN })
    return result
  }

  var isRead: Bool { next == words.count }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt32> {
    try #require(next + count <= words.count)
    defer { next += count }
    return ArraySlice(Array(words[next..<next + count]))
  }
}

extension TensorLayout {
  /// Where the values of the shape lie, in row-major order.
  fileprivate var places: [Int] {
    (0..<shape.batch).flatMap { image in
      (0..<shape.channels).flatMap { channel in
        (0..<shape.height).flatMap { row in
          (0..<shape.width).map { index(image: image, channel: channel, row: row, column: $0) }
        }
      }
    }
  }
}
