import Foundation

/// The metrics of each epoch: the rows of results.csv and the curves of the report.
public struct TrainingHistory: Codable, Equatable, Sendable {
  /// Names of the metrics, such as `train/loss`, which are also the TensorBoard tags.
  public let columns: [String]
  public private(set) var rows: [Row] = []

  public struct Row: Codable, Equatable, Sendable {
    /// The epoch, counted from 1.
    public var epoch: Int
    /// A value per column; nil if it was not measured.
    public var values: [Double?]
  }

  /// - Precondition: the columns are distinct, and none is named `epoch`.
  public init(columns: [String]) {
    precondition(Set(columns + ["epoch"]).count == columns.count + 1, "columns must be distinct")
    self.columns = columns
  }

  /// Appends a row.
  ///
  /// - Precondition: every name is a column, and the epoch is larger than the last row's.
  public mutating func append(epoch: Int, _ values: [String: Double]) {
    precondition(values.keys.allSatisfy(columns.contains), "a value without a column")
    precondition(rows.last.map { $0.epoch < epoch } ?? true, "epochs ascend")
    rows.append(Row(epoch: epoch, values: columns.map { values[$0] }))
  }

  /// Returns the history with other columns. Values of a column that it lacks are nil.
  func arranged(_ columns: [String]) -> TrainingHistory {
    guard columns != self.columns else { return self }
    var arranged = TrainingHistory(columns: columns)
    let sources = columns.map { self.columns.firstIndex(of: $0) }
    arranged.rows = rows.map { row in
      Row(epoch: row.epoch, values: sources.map { source in source.flatMap { row.values[$0] } })
    }
    return arranged
  }

  /// Returns the measured values of a column with their epochs.
  public func series(_ column: String) -> [(epoch: Int, value: Double)] {
    guard let index = columns.firstIndex(of: column) else { return [] }
    return rows.compactMap { row in row.values[index].map { (row.epoch, $0) } }
  }

  /// The whole table as CSV, with a header.
  var csv: String { csvHeader + rows.map(csvLine).joined() }

  var csvHeader: String { CSV.line(["epoch"] + columns) }

  func csvLine(_ row: Row) -> String {
    CSV.line([String(row.epoch)] + row.values.map { $0.map { "\($0)" } ?? "" })
  }
}

extension TrainingHistory {
  private enum CodingKeys: CodingKey { case columns, rows }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    columns = try container.decode([String].self, forKey: .columns)
    rows = try container.decode([Row].self, forKey: .rows)
    guard Set(columns + ["epoch"]).count == columns.count + 1, rows.allSatisfy({ $0.values.count == columns.count })
    else { throw DecodingError.dataCorruptedError(forKey: .rows, in: container, debugDescription: "rows and columns") }
  }
}
