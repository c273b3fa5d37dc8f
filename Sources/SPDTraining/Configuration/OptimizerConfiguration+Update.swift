import SPDRuntime

extension OptimizerConfiguration {
  package var rule: Update.Rule {
    switch method {
    case .sgd: .sgd
    case .adam: .adam
    case .adamw: .adamW
    }
  }

  /// Returns an update of all parameter groups with a learning rate.
  package func update(rate: Double) -> Update {
    var update = Update(rule: rule, learningRate: rate, momentum: momentum, weightDecay: weightDecay)
    if decay == .weights {
      update.biases.weightDecay = 0
      update.scales.weightDecay = 0
    }
    update.nesterov = nesterov
    update.secondMomentum = beta2
    update.epsilon = epsilon
    return update
  }
}
