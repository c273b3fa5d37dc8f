import SPDDriver

extension TrainingConfiguration {
  /// Number of OpenMP threads.
  package var computeThreads: Int { threads == 0 ? Machine.processors : threads }
}
