import Foundation

/// What was measured in each epoch: the rows of results.csv, the curves of the report.
public struct TrainingHistory: Codable, Equatable, Sendable {
  /// The measured values' names, such as `train/loss`; they are TensorBoard's tags too.
  public let columns: [String]
  public private(set) var rows: [Row] = []

  public struct Row: Codable, Equatable, Sendable {
    /// Counted from 1.
    public var epoch: Int
    /// One for each column; nil where it was not measured.
    public var values: [Double?]
  }

  /// - Precondition: the columns differ, and none is called `epoch`.
  public init(columns: [String]) {
    precondition(Set(columns + ["epoch"]).count == columns.count + 1, "columns must differ")
    self.columns = columns
  }

  /// - Precondition: every name is a column, and the epoch follows the last row's.
  public mutating func append(epoch: Int, _ values: [String: Double]) {
    precondition(values.keys.allSatisfy(columns.contains), "a value without a column")
    precondition(rows.last.map { $0.epoch < epoch } ?? true, "epochs ascend")
    rows.append(Row(epoch: epoch, values: columns.map { values[$0] }))
  }

  /// The epochs in which a column was measured, and the values.
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
