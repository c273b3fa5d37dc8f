import CSPDModule

/// One step of the optimiser. With g the gradient times `gradientScale`, clipped:
///
///     SGD    d = g + decay·p;  v = momentum·v + d;  p −= rate·(nesterov ? d + momentum·v : v)
///     Adam   d = g + decay·p;  m = β₁·m + (1 − β₁)·d;  v = β₂·v + (1 − β₂)·d²;
///            p −= rate/(1 − β₁ᵗ)·m/(√(v/(1 − β₂ᵗ)) + ε)
///     AdamW  p −= rate·decay·p, then Adam with d = g
public struct Update: Sendable, Equatable {
  public enum Rule: Int32, Sendable, Codable, CaseIterable {
    case sgd, adam, adamW
  }

  /// Rates of one group of parameters. `momentum` is Adam's β₁.
  public struct Rates: Sendable, Equatable {
    public var learningRate: Double
    public var weightDecay: Double
    public var momentum: Double

    public init(learningRate: Double, weightDecay: Double = 0, momentum: Double = 0) {
      self.learningRate = learningRate
      self.weightDecay = weightDecay
      self.momentum = momentum
    }
  }

  public var rule = Rule.sgd
  public var weights: Rates
  /// Biases, including those of normalisations (β).
  public var biases: Rates
  /// Scales of normalisations (γ).
  public var scales: Rates
  public var nesterov = false
  /// Adam's t, from 1; nil: the trainer's count of updates.
  public var step: Int?
  /// Adam's β₂.
  public var secondMomentum = 0.999
  public var epsilon = 1e-8
  /// 1, or 1 / accumulated batches for their mean.
  public var gradientScale = 1.0
  /// Maximum norm of all gradients together; larger ones are clipped. Nil: no clipping.
  public var maxNorm: Double?
  /// The decay of the EMA: ema = decay·ema + (1 − decay)·value.
  public var averageDecay = 0.9999

  /// The same rates for all parameters.
  public init(rule: Rule = .sgd, learningRate: Double, momentum: Double = 0, weightDecay: Double = 0) {
    let rates = Rates(learningRate: learningRate, weightDecay: weightDecay, momentum: momentum)
    self.rule = rule
    weights = rates
    biases = rates
    scales = rates
  }

  /// Calls `body` with the structure that generated code reads.
  ///
  /// - Parameter count: number of previous updates.
  func withC<Result>(after count: Int, _ body: (UnsafePointer<spd_update>) throws -> Result) rethrows -> Result {
    let groups = [weights, biases, scales].map {
      spd_group_rates(learning_rate: $0.learningRate, weight_decay: $0.weightDecay, momentum: $0.momentum)
    }
    return try groups.withUnsafeBufferPointer { groups in
      var update = spd_update(
        groups: groups.baseAddress, rule: rule.rawValue, nesterov: nesterov ? 1 : 0, step: Int64(step ?? count + 1),
        second_momentum: secondMomentum, epsilon: epsilon, gradient_scale: gradientScale,
        max_norm: maxNorm.map { min($0, .greatestFiniteMagnitude) } ?? 0,
        ema_decay: averageDecay)
      return try withUnsafePointer(to: &update, body)
    }
  }
}
