import SPD
import SPDCompiler

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension LossOracle {
  /// An optimiser as PyTorch defines it, with the state of its parameters.
  ///
  ///     SGD:    d = g + decay·p;  v = momentum·v + d;  p −= rate·(nesterov ? d + momentum·v : v)
  ///     Adam:   d = g + decay·p;  m = β₁·m + (1 − β₁)·d;  v = β₂·v + (1 − β₂)·d²;
  ///             p −= rate/(1 − β₁ᵗ)·m / (√(v/(1 − β₂ᵗ)) + ε)
  ///     AdamW:  p −= rate·decay·p, then Adam with d = g
  /// EMA:    ema ← decay·ema + (1 − decay)·p
  public struct Optimizer: Sendable {
    public enum Rule: Int, CaseIterable, Sendable { case sgd, adam, adamW }

    /// Hyperparameters of a parameter group. Momentum is β₁ of Adam.
    public struct Group: Sendable {
      public var rate: Double
      public var weightDecay: Double
      public var momentum: Double

      public init(rate: Double, weightDecay: Double, momentum: Double) {
        self.rate = rate
        self.weightDecay = weightDecay
        self.momentum = momentum
      }
    }

    /// One tensor. Without a group it only has an EMA.
    public struct Entry: Sendable {
      public var group: Int?
      public var values: [Double]
      public var momentum: [Double]
      public var second: [Double]
      public var average: [Double]

      /// The state at the start of training: momenta zero, the EMA equal to the values.
      public init(_ values: [Double], group: Int?) {
        self.group = group
        self.values = values
        average = values
        momentum = values.map { _ in 0 }
        second = momentum
      }
    }

    public var rule: Rule
    public var nesterov = false
    public var secondMomentum = 0.999
    public var epsilon = 1e-8
    public var gradientScale = 1.0
    /// Maximum norm of all gradients together; 0: no clipping.
    public var maxNorm = 0.0
    public var averageDecay = 0.0
    public var groups: [Group]
    public var entries: [Entry]
    /// Number of steps made so far.
    public private(set) var step = 0

    public init(_ rule: Rule, groups: [Group], entries: [Entry]) {
      self.rule = rule
      self.groups = groups
      self.entries = entries
    }

    /// Makes one step.
    ///
    /// - Parameter gradients: one per entry; those of entries without a group are ignored.
    /// - Returns: the norm of the scaled gradients before clipping, as `clip_grad_norm_` does.
    @discardableResult public mutating func update(_ gradients: [[Double]]) -> Double {
      step += 1
      let trained = zip(entries, gradients).filter { $0.0.group != nil }.flatMap { $0.1 }
      let norm = gradientScale * trained.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let scale = gradientScale * (maxNorm > 0 ? min(1, maxNorm / (norm + 1e-6)) : 1)
      for index in entries.indices {
        if let group = entries[index].group {
          for i in gradients[index].indices { move(&entries[index], i, scale * gradients[index][i], groups[group]) }
        }
        for i in entries[index].values.indices {
          entries[index].average[i] *= averageDecay
          entries[index].average[i] += (1 - averageDecay) * entries[index].values[i]
        }
      }
      return norm
    }

    private func move(_ entry: inout Entry, _ i: Int, _ gradient: Double, _ group: Group) {
      let momentum = group.momentum
      let d = rule == .adamW ? gradient : gradient + group.weightDecay * entry.values[i]
      guard rule != .sgd else {
        entry.momentum[i] = momentum * entry.momentum[i] + d
        entry.values[i] -= group.rate * (nesterov ? d + momentum * entry.momentum[i] : entry.momentum[i])
        return
      }
      if rule == .adamW { entry.values[i] -= group.rate * group.weightDecay * entry.values[i] }
      entry.momentum[i] = momentum * entry.momentum[i] + (1 - momentum) * d
      entry.second[i] = secondMomentum * entry.second[i] + (1 - secondMomentum) * d * d
      let first = entry.momentum[i] / (1 - pow(momentum, Double(step)))
      let second = entry.second[i] / (1 - pow(secondMomentum, Double(step)))
      entry.values[i] -= group.rate * first / (second.squareRoot() + epsilon)
    }
  }
}
