import Foundation
import SPDDriver
import SPDFormats

/// Writes scalars for TensorBoard to a new event file in a run's folder.
///
/// Writes are unbuffered, so that TensorBoard can follow a run and a killed run loses no events.
public final class EventWriter {
  public let path: String
  private let file: AppendedFile
  private let wallTime: () -> Double

  /// - Parameters:
  ///   - folder: the run's folder. TensorBoard merges earlier event files in it.
  ///   - step: the last valid step of a resumed run: earlier events of later steps are discarded. Nil for a new run.
  ///   - wallTime: returns seconds since 1970.
  /// - Throws: `FormatError` if the file cannot be written.
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

  /// Writes the values of one step.
  ///
  /// - Parameter scalars: values by tag, such as `train/loss`; written in the order of the tags.
  public func write(_ scalars: [String: Double], step: Int) throws {
    let values = scalars.sorted { $0.key < $1.key }.map { Scalar(tag: $0.key, simpleValue: Float($0.value)) }
    try append(time: wallTime(), step: step, .summary(values))
  }

  private func append(time: Double, step: Int, _ what: Event.What) throws {
    try file.append(TFRecord.framed(ProtobufWriter.bytes(of: Event(wallTime: time, step: step, what: what))))
  }

  /// File names are compared as text, so that the number must not exceed ten digits.
  private static let largestNumber = 9_999_999_999

  /// Returns the path of a new event file. TensorBoard finds event files by `tfevents` and reads them in the order of names.
  private static func path(in folder: String, seconds: Int) throws -> String {
    let prefix = "events.out.tfevents."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Keep the order even if the clock was set back or a run is resumed within a second.
    let latest = names.compactMap { name in
      name.hasPrefix(prefix) ? name.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) } : nil
    }.max()
    if let latest, latest >= largestNumber {
      throw Failure(
        .data, "\(folder)/\(prefix)\(latest)….spdc: TensorBoard ignores files that would follow it; rename or remove it"
      )
    }
    let number = max(seconds, (latest ?? -1) + 1)
    let digits = String(number)
    return folder + "/" + prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".spdc"
  }
}
