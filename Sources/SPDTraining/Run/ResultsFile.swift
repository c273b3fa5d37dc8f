import SPDFormats

/// results.csv of a run: one row per epoch, flushed to disk after each epoch.
public final class ResultsFile {
  private let file: AppendedFile
  private let header: String

  /// Opens the file and replaces its rows by those of `history`.
  ///
  /// A resumed run passes the history of its checkpoint. This drops later epochs, which will be repeated, and incomplete
  /// rows, and restores lost ones.
  ///
  /// - Throws: `FormatError` if the file cannot be written or another process is writing it.
  public init(_ path: String, history: TrainingHistory) throws {
    header = history.csvHeader
    file = try AppendedFile.replacing(path, by: history.csv)
  }

  /// Appends the last row of the history.
  public func append(_ history: TrainingHistory) throws {
    precondition(history.csvHeader == header, "the columns of a file must not change")
    guard let row = history.rows.last else { return }
    try file.append(Array(history.csvLine(row).utf8))
    try file.flush()
  }
}
