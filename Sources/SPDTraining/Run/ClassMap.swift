import SPDDriver

/// Maps the classes of a data set to a network's classes by name.
package struct ClassMap {
  /// The network's class by class of the data set; −1 for an unknown one.
  package private(set) var indices: [Int]
  private let names: [String]
  private let known: [String]

  /// - Parameters:
  ///   - names: classes of the data set.
  ///   - known: classes of the network.
  package init(of names: [String], in known: [String]) {
    (self.names, self.known) = (names, known)
    // Compare bytes: names that are equal in Unicode may be different folders.
    var places: [[UInt8]: Int] = [:]
    for (index, name) in known.enumerated() { places[Array(name.utf8)] = index }
    indices = names.map { places[Array($0.utf8)] ?? -1 }
  }

  /// Checks that the network has every class of the data set.
  ///
  /// - Throws: `Failure` naming an unknown class.
  package func check(weights: String, data: String) throws {
    let unknown = zip(names, indices).filter { $1 < 0 }.map(\.0)
    guard let first = unknown.first else { return }
    let more = unknown.count > 1 ? " and \(unknown.count - 1) more" : ""
    throw Failure(
      .data,
      "\(data): the class `\(first)`\(more) is not among the \(known.count) of \(weights) "
        + "(\(known.prefix(5).joined(separator: ", "))\(known.count > 5 ? ", …" : "")); "
        + "rename or remove the folder")
  }
}
