// The building blocks of YOLOv5 and YOLOv5-SPD. Parameter names are those of the published checkpoints.

/// Convolution without bias → batch normalisation (ε 1e-3, momentum 0.03) → SiLU.
public struct Conv: Layer {
  public var site: Site
  let outputs: Int
  let kernel: Size2D
  let stride: Size2D
  let padding: Size2D
  let groups: Int
  let norm: BatchNorm

  /// - Parameter padding: by default half the kernel, rounded down.
  public init(
    _ outputs: Int, kernel: Size2D, stride: Size2D = 1, padding: Size2D? = nil, groups: Int = 1,
    norm: BatchNorm = BatchNorm(epsilon: 1e-3, momentum: 0.03), file: String = #fileID, line: Int = #line
  ) {
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? Size2D(kernel.height / 2, kernel.width / 2)
    self.groups = groups
    self.norm = norm
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    x.through(
      Conv2D(outputs, kernel: kernel, stride: stride, padding: padding, groups: groups, bias: false).named("conv"),
      norm.named("bn"), SiLU())
  }
}

/// Space-to-depth of the image itself, then a convolution: 3×H×W → outputs × H/2 × W/2.
public struct Focus: Layer {
  public var site: Site
  let outputs: Int
  let kernel: Size2D
  let norm: BatchNorm

  public init(
    _ outputs: Int, kernel: Size2D, norm: BatchNorm = BatchNorm(epsilon: 1e-3, momentum: 0.03),
    file: String = #fileID, line: Int = #line
  ) {
    self.outputs = outputs
    self.kernel = kernel
    self.norm = norm
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    x.through(SpaceToDepth(), Conv(outputs, kernel: kernel, norm: norm).named("conv"))
  }
}

/// 1×1 then 3×3 convolution, added to the input if `shortcut` and the channels agree.
public struct Bottleneck: Layer {
  public var site: Site
  let outputs: Int
  let shortcut: Bool

  public init(_ outputs: Int, shortcut: Bool = true, file: String = #fileID, line: Int = #line) {
    self.outputs = outputs
    self.shortcut = shortcut
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let y = x.through(Conv(outputs, kernel: 1).named("cv1"), Conv(outputs, kernel: 3).named("cv2"))
    return shortcut && x.shape.channels == outputs ? x + y : y
  }
}

/// Cross-stage partial block: cv3(concat(bottlenecks(cv1 x), cv2 x)), half the channels inside.
public struct C3: Layer {
  public var site: Site
  let outputs: Int
  let repeats: Int
  let shortcut: Bool

  public init(_ outputs: Int, repeats: Int, shortcut: Bool = true, file: String = #fileID, line: Int = #line) {
    self.outputs = outputs
    self.repeats = repeats
    self.shortcut = shortcut
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let hidden = outputs / 2
    guard (0...GraphLimits.nodes).contains(repeats) else {
      x.builder.fail("C3 repeats its bottleneck 0 to \(GraphLimits.nodes) times, not \(repeats)")
      return x
    }
    let chain = Sequential((0..<repeats).map { _ in Bottleneck(hidden, shortcut: shortcut) }).named("m")
    let deep = x.through(Conv(hidden, kernel: 1).named("cv1"), chain)
    let direct = x.through(Conv(hidden, kernel: 1).named("cv2"))
    return concat(deep, direct).through(Conv(outputs, kernel: 1).named("cv3"))
  }
}

/// Spatial pyramid pooling: three max pools in a chain, all four stages joined.
public struct SPPF: Layer {
  public var site: Site
  let outputs: Int
  let kernel: Int

  public init(_ outputs: Int, kernel: Int = 5, file: String = #fileID, line: Int = #line) {
    self.outputs = outputs
    self.kernel = kernel
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let pool = MaxPool(Size2D(kernel), stride: 1, padding: Size2D(kernel / 2))
    let x = x.through(Conv(x.shape.channels / 2, kernel: 1).named("cv1"))
    let once = pool(x)
    let twice = pool(once)
    let thrice = pool(twice)
    return concat(x, once, twice, thrice).through(Conv(outputs, kernel: 1).named("cv2"))
  }
}

/// YOLOv5's three heads: one biased 1×1 convolution per level, sigmoid, boxes.
///
/// Result: N × rows × (5 + classes): centre x, centre y, width and height in pixels of the network's input, objectness,
/// class scores. Strides follow from the shapes: the image's height over the level's.
public struct Detect {
  var site: Site
  let classes: Int
  let anchors: Anchors

  public init(classes: Int, anchors: Anchors, file: String = #fileID, line: Int = #line) {
    self.classes = classes
    self.anchors = anchors
    site = Site(file, line)
  }

  /// - Parameter levels: from the finest to the coarsest.
  public func callAsFunction(_ levels: Tensor...) -> Tensor {
    let builder = levels[0].builder
    return builder.enter(site) {
      guard levels.count == anchors.levels.count else {
        builder.fail("Detect has anchors for \(anchors.levels.count) levels, but \(levels.count) levels")
        return levels[0]
      }
      let image = builder.graph.nodes[0].shape
      let strides = levels.map { image.height / $0.shape.height }
      let perLevel = anchors.levels[0].count
      guard anchors.levels.allSatisfy({ $0.count == perLevel }), strides.allSatisfy({ $0 > 0 }),
        (1...GraphLimits.extent).contains(classes)
      else {
        builder.fail(
          "Detect needs as many anchors for each level, levels that are no larger than the image, and 1 to "
            + "\(GraphLimits.extent) classes, not \(classes)")
        return levels[0]
      }
      let values = zip(anchors.levels, strides).flatMap { level, stride in
        level.flatMap { [Float($0.width) / Float(stride), Float($0.height) / Float(stride)] }
      }
      let name = builder.parameter("anchors", [levels.count, perLevel, 2], .constant(values))
      let heads = builder.levels(levels) { level in
        level.through(Conv2D(perLevel * (classes + 5), kernel: 1), Sigmoid().named("sigmoid"))
      }
      let op = Op.DecodeBoxes(classes: classes, anchorsPerLevel: perLevel, anchors: name, strides: strides)
      return builder.append(.decodeBoxes(op), heads)
    }
  }

  /// Anchor boxes of each level, finest first, in pixels.
  public struct Anchors: Sendable {
    public var levels: [[(width: Int, height: Int)]]

    public init(_ levels: [[(width: Int, height: Int)]]) { self.levels = levels }

    /// For strides 8, 16, 32 at 640 pixels.
    public static let yolov5 = Anchors([
      [(10, 13), (16, 30), (33, 23)], [(30, 61), (62, 45), (59, 119)], [(116, 90), (156, 198), (373, 326)],
    ])
  }
}

extension GraphBuilder {
  /// Calls `body` for every level inside of one scope `m`, so that its layers are `m.0`, `m.1`, ….
  fileprivate func levels(_ levels: [Tensor], _ body: @escaping (Tensor) -> Tensor) -> [Tensor] {
    var results: [Tensor] = []
    _ = enter(Site("SPD/Blocks.swift", 0, name: "m")) {
      for level in levels { results.append(body(level)) }
      return levels[0]
    }
    return results
  }
}

/// Depth and width multipliers of the YOLOv5 sizes.
public struct Scale: Sendable {
  let depthFactor: Double
  let widthFactor: Double

  public init(depth: Double, width: Double) {
    depthFactor = depth
    widthFactor = width
  }

  /// Channels: scaled and rounded up to a multiple of 8.
  public func width(_ base: Int) -> Int { Int(saturating: (Double(base) * widthFactor / 8).rounded(.up)) * 8 }

  /// Repeats: scaled and rounded half to even, at least one.
  public func depth(_ base: Int) -> Int {
    base > 1 ? max(Int(saturating: (Double(base) * depthFactor).rounded(.toNearestOrEven)), 1) : base
  }
}
