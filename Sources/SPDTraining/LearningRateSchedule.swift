import Foundation

/// The learning rate of each step: base · factor(epoch) · ramp.
///
/// Epochs are counted from 1, iterations of an epoch from 0. With E epochs of n iterations each:
/// - `constant`: factor 1;
/// - `step`: decayFactor to the power of the number of milestones ≤ epoch;
/// - `cosine`: (1 − cos(π(epoch − 1)/E))/2 · (finalFactor − 1) + 1, as YOLOv5 has it: the last epoch does not quite
///   reach the final factor;
/// - `linear`: 1 in the first epoch, finalFactor in the last, in equal steps.
///
/// The warm-up ramp is m / (M + 1e-8) for iteration m (from 0) of the M iterations in the warm-up epochs, and 1 after
/// them. The first step therefore has rate 0.
public struct LearningRateSchedule: Equatable, Sendable {
  public var base: Double
  public var configuration: ScheduleConfiguration
  public var epochs: Int
  public var iterationsPerEpoch: Int

  /// - Precondition: `epochs` and `iterationsPerEpoch` are at least 1.
  public init(_ configuration: TrainingConfiguration, iterationsPerEpoch: Int) {
    self.init(
      base: configuration.optimizer.learningRate, configuration.schedule, epochs: configuration.epochs,
      iterationsPerEpoch: iterationsPerEpoch)
  }

  public init(base: Double, _ configuration: ScheduleConfiguration, epochs: Int, iterationsPerEpoch: Int) {
    precondition(epochs > 0 && iterationsPerEpoch > 0, "a schedule needs epochs and iterations")
    self.base = base
    self.configuration = configuration
    self.epochs = epochs
    self.iterationsPerEpoch = iterationsPerEpoch
  }

  /// - Parameters:
  ///   - epoch: from 1; may exceed `epochs`.
  ///   - iteration: from 0.
  public func rate(epoch: Int, iteration: Int) -> Double {
    base * factor(epoch: epoch) * ramp(epoch: epoch, iteration: iteration)
  }

  private func factor(epoch: Int) -> Double {
    switch configuration.shape {
    case .constant: return 1
    case .step:
      let passed = configuration.milestones.count { $0 <= epoch }
      return pow(configuration.decayFactor, Double(passed))
    case .cosine:
      let part = Double(min(epoch - 1, epochs)) / Double(epochs)
      return (1 - cos(.pi * part)) / 2 * (configuration.finalFactor - 1) + 1
    case .linear:
      let part = epochs == 1 ? 0 : Double(min(epoch, epochs) - 1) / Double(epochs - 1)
      return (1 - part) * (1 - configuration.finalFactor) + configuration.finalFactor
    }
  }

  private func ramp(epoch: Int, iteration: Int) -> Double {
    guard epoch <= configuration.warmupEpochs else { return 1 }
    let total = Double(configuration.warmupEpochs * iterationsPerEpoch)
    return Double((epoch - 1) * iterationsPerEpoch + iteration) / (total + 1e-8)
  }
}

extension AverageConfiguration {
  /// Returns d of update number `updates`: decay · (1 − e^(−updates/ramp)).
  public func decay(updates: Int) -> Double {
    ramp > 0 ? decay * (1 - exp(-Double(updates) / ramp)) : decay
  }
}
