/// Limits how many values a file may expand to, whatever it declares: views with stride 0, shared storages and deflated
/// zeros make many values from few bytes.
///
/// The limit is 64 Mi values (256 MB as float32) or 8 per byte of the file, whichever is larger.
struct ExpansionLimit {
  private let fileSize: Int
  private var left: Int

  static let freeValues = 64 << 20
  static let valuesPerByte = 8

  init(fileSize: Int) {
    self.fileSize = fileSize
    left = max(Self.freeValues, Self.valuesPerByte * fileSize)
  }

  /// Counts the values of one more tensor.
  ///
  /// - Parameter error: makes the error from a problem and a remedy.
  mutating func spend(_ values: Int, _ error: (_ problem: String, _ remedy: String) -> FormatError) throws {
    guard values <= left else {
      throw error(
        "the arrays unfold to far more than the file holds: at most \(max(Self.freeValues, Self.valuesPerByte * fileSize)) "
          + "values are read from \(fileSize) bytes",
        "If the file is to be trusted, write contiguous arrays without compression")
    }
    left -= values
  }
}
