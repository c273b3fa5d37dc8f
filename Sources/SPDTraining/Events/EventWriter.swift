import Foundation
import SPDDriver
import SPDFormats

/// Writes scalars for TensorBoard into a new event file of a run's folder.
///
/// Every call of `write` is on its way to the disk when it returns, so that TensorBoard follows a running training and
/// a killed one loses nothing that was written.
public final class EventWriter {
  public let path: String
  private let file: AppendedFile
  private let wallTime: () -> Double

  /// - Parameters:
  ///   - folder: the run's; it may hold event files of an earlier part of the run, which TensorBoard reads as one.
  ///   - resumedAfter: the last step that still counts: what was written for later ones before is void. Nil for a new
  ///     run.
  ///   - wallTime: seconds since 1970.
  /// - Throws: `FormatError` where the file cannot be written.
  public init(
    folder: String, resumedAfter step: Int? = nil, wallTime: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    self.wallTime = wallTime
    let now = wallTime()
    path = try Self.path(in: folder, seconds: Int(now))
    file = try AppendedFile(path, isNew: true)
    try append(time: now, step: 0, .fileVersion("brain.Event:2"))
    if let step { try append(time: now, step: step + 1, .sessionLog(SessionLog())) }
  }

  /// Writes values of one step.
  ///
  /// - Parameter scalars: by tag, such as `train/loss`; written in the order of the tags.
  public func write(_ scalars: [String: Double], step: Int) throws {
    let values = scalars.sorted { $0.key < $1.key }.map { Scalar(tag: $0.key, simpleValue: Float($0.value)) }
    try append(time: wallTime(), step: step, .summary(values))
  }

  private func append(time: Double, step: Int, _ what: Event.What) throws {
    try file.append(TFRecord.framed(ProtobufWriter.bytes(of: Event(wallTime: time, step: step, what: what))))
  }

  /// Names are compared as text, so that more digits than ten would not come last.
  private static let largestNumber = 9_999_999_999

  /// TensorBoard knows event files by `tfevents` in their names and reads them in the order of their names.
  private static func path(in folder: String, seconds: Int) throws -> String {
    let prefix = "events.out.tfevents."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // A clock that was set back, or a run resumed within a second, must not sort a file before the earlier one.
    let latest = names.compactMap { name in
      name.hasPrefix(prefix) ? name.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) } : nil
    }.max()
    if let latest, latest >= largestNumber {
      throw Failure(
        .data, "\(folder)/\(prefix)\(latest)….spdc: TensorBoard would read no later file after it; rename or remove it")
    }
    let number = max(seconds, (latest ?? -1) + 1)
    let digits = String(number)
    return folder + "/" + prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".spdc"
  }
}
