import SPD
import SPDData
import SPDVision

/// All random choices about a training sample. They depend on the seed, the epoch and the image's index alone, and
/// nothing about pixels is random any more.
struct AugmentationPlan: Sendable, Equatable {
  var base: CompositionPlan
  /// A second mosaic to blend with, and the ratio of the first.
  var mixUp: Partner<Double>?
  /// A second composition to cut a patch from.
  var cutMix: Partner<CutMixPlan>?
  var jitter: HSVJitter
  var flipsVertically, flipsHorizontally: Bool

  struct Partner<Choice: Sendable & Equatable>: Sendable, Equatable {
    var composition: CompositionPlan
    var choice: Choice
  }

  /// Draws the plan of an image.
  ///
  /// - Parameters:
  ///   - width, height: size of the sample; a mosaic needs a square.
  ///   - usesMosaic: false for rectangular batches.
  ///   - cutMix: probability of CutMix, which is not part of the reference.
  init(
    index: Int, width: Int, height: Int, parameters: DetectionHyperparameters, usesMosaic: Bool = true,
    cutMix probability: Double = 0, sampler: ImageSampler, random: inout SplitMix64
  ) {
    func composition(_ index: Int, isMosaic: Bool) -> CompositionPlan {
      CompositionPlan(
        index: index, size: width, isMosaic: isMosaic, parameters: parameters, sampler: sampler, random: &random)
    }
    let isMosaic = usesMosaic && random.chance(parameters.mosaic)
    base = composition(index, isMosaic: isMosaic)
    if isMosaic && random.chance(parameters.mixup) {
      let partner = composition(sampler.draw(&random), isMosaic: true)
      mixUp = Partner(composition: partner, choice: random.beta(32))
    }
    if random.chance(probability) {
      let partner = composition(sampler.draw(&random), isMosaic: isMosaic)
      cutMix = Partner(
        composition: partner, choice: CutMixPlan(width: width, height: height, random: &random))
    }
    jitter = HSVJitter(parameters, random: &random)
    flipsVertically = random.chance(parameters.flipud)
    flipsHorizontally = random.chance(parameters.fliplr)
  }

  /// Makes the sample.
  ///
  /// - Parameter tile: returns an image, resized as for training, with its labels; nil for a broken one.
  /// - Returns: nil where the image itself is broken.
  func sample(
    width: Int, height: Int, tile: (Int) throws(DataError) -> CompositionPlan.Tile?
  ) throws(DataError) -> AugmentedSample? {
    guard var sample = try base.sample(width: width, height: height, tile: tile) else { return nil }
    if let mixUp, let other = try mixUp.composition.sample(width: width, height: height, tile: tile) {
      sample = SPDDetection.mixUp(sample, other, ratio: mixUp.choice)
    }
    if let cutMix, let other = try cutMix.composition.sample(width: width, height: height, tile: tile) {
      sample = cutMix.choice.apply(to: sample, with: other)
    }
    jitter.apply(to: &sample.image)
    if flipsVertically { sample.flipVertically() }
    if flipsHorizontally { sample.flipHorizontally() }
    return sample
  }
}
