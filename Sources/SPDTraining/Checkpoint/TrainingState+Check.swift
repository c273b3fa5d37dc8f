extension TrainingState {
  /// Describes an inconsistency; nil if a run can resume from this state.
  var inconsistency: String? {
    // Far beyond any run, and sums of such numbers do not overflow.
    let limit = 1 << 40
    for (name, value) in [("epoch", epoch), ("iteration", iteration), ("summed", summed), ("updates", updates)]
    where !(0...limit).contains(value) { return "\(name) is \(value)" }
    if summed > iteration { return "\(summed) of \(iteration) iterations wait for an update" }
    var previous = 0
    for (index, row) in history.rows.enumerated() {
      if row.epoch <= previous {
        return "row \(index + 1) of its history has epoch \(row.epoch), after epoch \(previous)"
      }
      previous = row.epoch
    }
    if previous > epoch { return "its history has epoch \(previous), but only \(epoch) are complete" }
    if let best, !(1...max(epoch, 1)).contains(best.epoch) { return "its best epoch is \(best.epoch) of \(epoch)" }
    return configuration.invalidSetting.map { "its setting \($0)" }
  }
}
