import SPDDriver

extension TrainingConfiguration {
  /// OpenMP threads to compute on.
  package var computeThreads: Int { threads == 0 ? Machine.processors : threads }
}
