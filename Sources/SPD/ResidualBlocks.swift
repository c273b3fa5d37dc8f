// The blocks of ResNet and ResNet-SPD. Parameter names are those of the published checkpoints.

/// Which way a residual block halves the resolution.
public enum Downsampling: Sendable {
  /// A stride in the block's 3×3 convolution, as in the original ResNet.
  case stride
  /// A non-strided 3×3 convolution followed by a space-to-depth (the paper's Table 3).
  case spaceToDepth
}

/// Two 3×3 convolutions: ReLU(residual(x) + shortcut(x)).
///
/// With `.spaceToDepth` and stride 2 the residual is conv 3×3 → SPD → BN(4c) → ReLU → conv 3×3 (4c→c) → BN. The
/// shortcut is a strided 1×1 convolution in both, as published.
public struct BasicBlock: Layer {
  public var site: Site
  let width: Int
  let stride: Int
  let downsampling: Downsampling

  public init(
    _ width: Int, stride: Int = 1, downsampling: Downsampling, file: String = #fileID, line: Int = #line
  ) {
    self.width = width
    self.stride = stride
    self.downsampling = downsampling
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    var layers: [any Layer]
    if stride != 1, downsampling == .spaceToDepth {
      layers = [Conv2D(width, kernel: 3, bias: false), SpaceToDepth(scale: stride)]
    } else {
      layers = [Conv2D(width, kernel: 3, stride: Size2D(stride), bias: false)]
    }
    layers += [BatchNorm(), ReLU(), Conv2D(width, kernel: 3, bias: false), BatchNorm()]
    return residual(x, Sequential(layers), outputs: width, stride: stride)
  }
}

/// 1×1, 3×3 and 1×1 convolution, four times the width outside: ReLU(residual(x) + shortcut(x)).
public struct BottleneckBlock: Layer {
  public var site: Site
  let width: Int
  let stride: Int
  let downsampling: Downsampling

  public init(
    _ width: Int, stride: Int = 1, downsampling: Downsampling, file: String = #fileID, line: Int = #line
  ) {
    self.width = width
    self.stride = stride
    self.downsampling = downsampling
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    var layers: [any Layer] = [Conv2D(width, kernel: 1, bias: false), BatchNorm(), ReLU()]
    if stride != 1, downsampling == .spaceToDepth {
      layers += [Conv2D(width, kernel: 3, bias: false), SpaceToDepth(scale: stride)]
    } else {
      layers += [Conv2D(width, kernel: 3, stride: Size2D(stride), bias: false)]
    }
    layers += [BatchNorm(), ReLU(), Conv2D(width.saturatingProduct(4), kernel: 1, bias: false), BatchNorm()]
    return residual(x, Sequential(layers), outputs: width.saturatingProduct(4), stride: stride)
  }
}

private func residual(_ x: Tensor, _ body: Sequential, outputs: Int, stride: Int) -> Tensor {
  let y = x.through(body.named("residual_function"))
  guard stride != 1 || x.shape.channels != outputs else { return (y + x).through(ReLU().named("relu")) }
  let shortcut = Sequential(Conv2D(outputs, kernel: 1, stride: Size2D(stride), bias: false), BatchNorm())
  return (y + x.through(shortcut.named("shortcut"))).through(ReLU().named("relu"))
}

/// A stage of residual blocks; only the first one halves the resolution.
public struct Stage: Layer {
  public enum Kind: Sendable { case basic, bottleneck }

  public var site: Site
  let kind: Kind
  let width: Int
  let blocks: Int
  let stride: Int
  let downsampling: Downsampling

  public init(
    _ kind: Kind, _ width: Int, blocks: Int, stride: Int = 1, downsampling: Downsampling, file: String = #fileID,
    line: Int = #line
  ) {
    self.kind = kind
    self.width = width
    self.blocks = blocks
    self.stride = stride
    self.downsampling = downsampling
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    guard (0...GraphLimits.nodes).contains(blocks) else {
      x.builder.fail("a stage has 0 to \(GraphLimits.nodes) blocks, not \(blocks)")
      return x
    }
    return (0..<blocks).reduce(x) { x, index in
      let stride = index == 0 ? stride : 1
      switch kind {
      case .basic: return BasicBlock(width, stride: stride, downsampling: downsampling)(x)
      case .bottleneck: return BottleneckBlock(width, stride: stride, downsampling: downsampling)(x)
      }
    }
  }
}
