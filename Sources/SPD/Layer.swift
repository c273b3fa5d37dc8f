/// Something that turns one tensor into another and may own parameters.
///
/// A layer is a plain value: `Conv(128, kernel: 3)(x)` declares and calls it. Calling it enters its scope, which gives
/// its parameters their names: its own name if it has one (`.named("cv1")`), else its number among the layers called in
/// the scope around it, as in PyTorch's `nn.Sequential`.
public protocol Layer {
  var site: Site { get set }
  func forward(_ x: Tensor) -> Tensor
}

extension Layer {
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.builder.enter(site) { forward(x) }
  }

  /// The same layer under a name of its own.
  public func named(_ name: String) -> Self {
    var copy = self
    copy.site.name = name
    return copy
  }
}

/// Layers one after the other in a scope of their own, numbered 0, 1, 2 ….
public struct Sequential: Layer {
  public var site: Site
  let layers: [any Layer]

  public init(_ layers: any Layer..., file: String = #fileID, line: Int = #line) {
    self.init(layers, file: file, line: line)
  }

  public init(_ layers: [any Layer], file: String = #fileID, line: Int = #line) {
    self.layers = layers
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}
