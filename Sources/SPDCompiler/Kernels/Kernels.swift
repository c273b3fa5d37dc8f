import SPD

/// The kernel of a step and the decisions that its template takes. All kernels there are, each with its reason.
public enum Kernel: Codable, Equatable, Sendable {
  // MARK: convolutions

  /// The default: products in the order of the formula, a register tile of pixels by blocks of outputs.
  case convDirect(ConvolutionTile)
  /// 3×3 with stride 1: fewer multiplications, larger weights.
  case convWinograd(WinogradTile)
  /// Reads the caller's image, through a space-to-depth of this scale or 1: no copy of it in blocks of 16 channels, most of which
  /// would be padding.
  case convImage(ConvolutionTile, scale: Int)
  /// Winograd's algorithm on the caller's image.
  case convImageWinograd(WinogradTile, scale: Int)
  /// One input for each output: no sum over channels, so that vectors hold channels.
  case convDepthwise
  /// Groups that cut through a block of channels: few pixels of few networks, so simple rather than fast.
  case convGrouped

  // MARK: what no convolution took over

  /// Batch normalisation, activation or sum as a loop of its own.
  case pointwise
  case maxPool
  case averagePool
  case globalAverage
  case softmax
  case flatten
  case decode
  /// Writes out a view that no reader can take as an address.
  case copy
  /// Writes output number `index` as N×C×H×W.
  case store(output: Int)

  // MARK: training

  case statistics
  case normalize
  case batchNormBackwardReduce
  case normalizeGradient
  /// The gradient of a weight, by tiles of inputs and outputs that run over the pixels.
  case weightGradient(WeightGradientTile)
  /// The gradient of a 1×1 weight: a product of two matrices, whose panels are copied side by side.
  case weightGradient1x1(WeightGradient1x1Tile)
  /// The gradient of a 3×3 weight of many channels, by Winograd's algorithm.
  case weightGradientWinograd(WinogradGradientTile)
  /// The weight gradient of a convolution that reads the caller's image, through a space-to-depth of this scale or 1, in chunks of
  /// images.
  case weightGradientImage(scale: Int, chunks: Int)
  /// Of an activation that has a parameter; others go with their normalisation.
  case activationGradient
  case poolGradient
  case globalAverageGradient
  case copyGradient
  /// Zeros, where no writer of a gradient is the first everywhere.
  case clear
  case crossEntropy
  case yoloLoss
  case composedLoss
  /// Updates parameters whose gradients are ready, and averages what goes into the EMA.
  case update(parameters: [String])

  /// Kernels of convolutions by the formula, the most special first: the first that computes one is its base.
  static let baseConvolutions: [any BaseConvolutionKernel.Type] = [
    ConvImageKernel.self, ConvDepthwiseKernel.self, ConvGroupedKernel.self, ConvDirectKernel.self,
  ]

  /// Algorithms that may be faster than the base, unless products are to be added in the order of the formula.
  static let fastConvolutions: [any FastConvolutionKernel.Type] = [ConvWinogradKernel.self]

  /// Kernels of weight gradients, the most special first: the first that computes one is chosen.
  static let weightGradients: [any WeightGradientModule.Type] = [
    WeightGradientImageKernel.self, WeightGradientWinogradKernel.self, WeightGradient1x1Kernel.self,
    WeightGradientKernel.self,
  ]

  var module: any KernelModule {
    switch self {
    case .convDirect(let tile): ConvDirectKernel(tile: tile)
    case .convWinograd(let tile): ConvWinogradKernel(tile: tile, imageScale: nil)
    case .convImage(let tile, let scale): ConvImageKernel(tile: tile, scale: scale)
    case .convImageWinograd(let tile, let scale): ConvWinogradKernel(tile: tile, imageScale: scale)
    case .convDepthwise: ConvDepthwiseKernel()
    case .convGrouped: ConvGroupedKernel()
    case .pointwise: PointwiseKernel()
    case .maxPool: PoolKernel(kind: .max)
    case .averagePool: PoolKernel(kind: .average)
    case .globalAverage: GlobalAverageKernel()
    case .softmax: SoftmaxKernel()
    case .flatten: FlattenKernel()
    case .decode: DecodeBoxesKernel()
    case .copy: CopyKernel()
    case .store(let output): StoreKernel(output: output)
    case .statistics: StatisticsKernel()
    case .normalize: NormalizeKernel()
    case .batchNormBackwardReduce: BatchNormBackwardReduceKernel()
    case .normalizeGradient: NormalizeGradientKernel()
    case .weightGradient(let tile): WeightGradientKernel(tile: tile)
    case .weightGradient1x1(let tile): WeightGradient1x1Kernel(tile: tile)
    case .weightGradientWinograd(let tile): WeightGradientWinogradKernel(tile: tile)
    case .weightGradientImage(let scale, let chunks): WeightGradientImageKernel(scale: scale, chunks: chunks)
    case .activationGradient: ActivationGradientKernel()
    case .poolGradient: PoolGradientKernel()
    case .globalAverageGradient: GlobalAverageGradientKernel()
    case .copyGradient: CopyGradientKernel()
    case .clear: ClearKernel()
    case .crossEntropy: CrossEntropyKernel()
    case .yoloLoss: YOLOLossKernel()
    case .composedLoss: ComposedLossKernel()
    case .update(let parameters): UpdateKernel(parameters: parameters)
    }
  }

  /// File name of the template, without extension.
  public var template: String { module.template }

  /// How a convolution is cut into tiles, for people: `10×2` is pixels by blocks of outputs, `F(4) 6×2 of 60 shared` Winograd's tiles
  /// of 4×4 outputs. Empty where there is nothing to choose.
  public var explanation: String { (module as? any ConvolutionKernel)?.explanation ?? "" }

  /// The register tile of a convolution, unless it is Winograd's.
  public var tile: ConvolutionTile? { (module as? ConvDirectKernel)?.tile ?? (module as? ConvImageKernel)?.tile }

  /// How Winograd computes a convolution, if it does.
  public var winograd: WinogradTile? { (module as? ConvWinogradKernel)?.tile }
}

/// How a convolution is cut into register tiles and units of work; see `ChooseTile`.
public struct ConvolutionTile: Codable, Equatable, Sendable, CustomStringConvertible {
  /// Blocks of 16 outputs that one tile computes.
  public var strip: Int
  public var rows: Int
  public var columns: Int
  /// Output rows per unit of work.
  public var unitRows: Int
  /// True: all rows of one strip before the next strip, so that its weights stay in the second-level cache.
  public var stripMajor: Bool
  public var rowsAhead: Int
  public var weightsAhead: Int
  /// Whether the output is written with non-temporal stores, since it exceeds the caches.
  public var streams = false
  /// True: the images of the batch are one tall image; see `Plan.joinImages`.
  public var joinsImages = false

  /// Pixels by blocks of outputs.
  public var description: String { "\(rows * columns)×\(strip)" }
}
