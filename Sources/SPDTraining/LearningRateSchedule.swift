import Foundation
import SPDRuntime

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
  /// Momentum, and number of mini-batches per step, after the warm-up.
  private var momentum = 0.0
  private var accumulation = 1

  /// - Precondition: `epochs` and `iterationsPerEpoch` are at least 1.
  public init(_ configuration: TrainingConfiguration, iterationsPerEpoch: Int) {
    self.init(
      base: configuration.optimizer.learningRate, configuration.schedule, epochs: configuration.epochs,
      iterationsPerEpoch: iterationsPerEpoch)
    momentum = configuration.optimizer.momentum
    accumulation = configuration.accumulation
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

/// What one step of the optimiser is made with.
package struct StepRates: Equatable, Sendable {
  /// Learning rates of biases and of all other parameters.
  package var weights, biases: Double
  package var momentum: Double
  /// Number of mini-batches per step.
  package var accumulation: Int

  /// The learning rate of a parameter group.
  package subscript(group: TrainedParameter.Group) -> Double { group == .bias ? biases : weights }
}

extension LearningRateSchedule {
  /// Returns the rates of a step. With `warmupIterations`, the first W = max(warmupEpochs · n, warmupIterations) iterations
  /// are YOLOv5's warm-up, linear in their number i: the learning rate rises from 0, or for biases falls from
  /// `warmupBiasRate`, to base · factor(epoch), the momentum rises from `warmupMomentum`, and the number of accumulated
  /// mini-batches from 1.
  package func rates(epoch: Int, iteration: Int) -> StepRates {
    let plain = rate(epoch: epoch, iteration: iteration)
    var rates = StepRates(weights: plain, biases: plain, momentum: momentum, accumulation: accumulation)
    guard let minimum = configuration.warmupIterations else { return rates }
    let target = base * factor(epoch: epoch)
    (rates.weights, rates.biases) = (target, target)
    let length = max(configuration.warmupEpochs * iterationsPerEpoch, minimum)
    let done = (epoch - 1) * iterationsPerEpoch + iteration
    guard done <= length, length > 0 else { return rates }
    let part = Double(done) / Double(length)
    func between(_ start: Double, _ end: Double) -> Double { start + (end - start) * part }
    rates.weights = between(0, target)
    rates.biases = between(configuration.warmupBiasRate ?? 0, target)
    rates.momentum = between(configuration.warmupMomentum ?? momentum, momentum)
    rates.accumulation = max(1, Int(between(1, Double(accumulation)).rounded(.toNearestOrEven)))
    return rates
  }
}

extension TrainingConfiguration {
  /// Number of mini-batches per step after the warm-up.
  package var accumulation: Int {
    guard let nominalBatch else { return accumulate }
    return max(Int((Double(nominalBatch) / Double(batch)).rounded(.toNearestOrEven)), 1)
  }

  /// The weight decay of a step: with a nominal batch, times batch · mini-batches / nominal.
  package var effectiveWeightDecay: Double {
    guard let nominalBatch else { return optimizer.weightDecay }
    return optimizer.weightDecay * Double(batch * accumulation) / Double(nominalBatch)
  }

  /// Returns an update of all parameter groups.
  package func update(_ rates: StepRates) -> Update {
    var optimizer = optimizer
    optimizer.weightDecay = effectiveWeightDecay
    optimizer.momentum = rates.momentum
    var update = optimizer.update(rate: rates.weights)
    update.biases.learningRate = rates.biases
    return update
  }
}

extension AverageConfiguration {
  /// Returns d of update number `updates`: decay · (1 − e^(−updates/ramp)).
  public func decay(updates: Int) -> Double {
    ramp > 0 ? decay * (1 - exp(-Double(updates) / ramp)) : decay
  }
}
