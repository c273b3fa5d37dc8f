import SPDFormats

/// results.csv of a run: one row for each epoch, on the disk as soon as the epoch is over.
public final class ResultsFile {
  private let file: AppendedFile
  private let header: String

  /// Opens the file and gives it the rows of `history`, and those only.
  ///
  /// A resumed run passes the history of its checkpoint: rows of epochs after it, which the run will go through again,
  /// and the half row of a killed run are gone then, and lost rows are back.
  ///
  /// - Throws: `FormatError` where the file cannot be written, or another process is writing it.
  public init(_ path: String, history: TrainingHistory) throws {
    header = history.csvHeader
    // Held while the old file is replaced, so that a run which still goes on is noticed before its file is touched.
    let old = try AppendedFile(path)
    try writeAtomically(to: path) { try $0.write(Array(history.csv.utf8)) }
    file = try AppendedFile(path)
    withExtendedLifetime(old) {}
  }

  /// Appends the last row of the history.
  public func append(_ history: TrainingHistory) throws {
    precondition(history.csvHeader == header, "the columns of a file do not change")
    guard let row = history.rows.last else { return }
    try file.append(Array(history.csvLine(row).utf8))
    try file.flush()
  }
}
