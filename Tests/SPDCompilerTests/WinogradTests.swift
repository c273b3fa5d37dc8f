import SPD
import Testing

@testable import SPDCompiler

struct WinogradTests {
  /// Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A is the convolution, for random tiles and taps, in double precision.
  @Test(arguments: Winograd.all)
  func theMatricesAreAConvolution(winograd: Winograd) {
    var random = SystemRandomNumberGenerator()
    let edge = winograd.edge
    func matrix(_ rows: Int, _ columns: Int) -> [[Double]] {
      (0..<rows).map { _ in (0..<columns).map { _ in Double.random(in: -1...1, using: &random) } }
    }
    let d = matrix(edge, edge)
    let g = matrix(3, 3)
    let u = product(product(winograd.kernelTransform, g), transposed(winograd.kernelTransform))
    let v = product(product(winograd.inputTransform, d), transposed(winograd.inputTransform))
    let m = zip(u, v).map { zip($0, $1).map(*) }
    let y = product(product(winograd.outputTransform, m), transposed(winograd.outputTransform))
    for row in 0..<winograd.size {
      for column in 0..<winograd.size {
        var expected = 0.0
        for i in 0..<3 { for j in 0..<3 { expected += g[i][j] * d[row + i][column + j] } }
        #expect(abs(y[row][column] - expected) < 1e-12)
      }
    }
  }

  /// The C statements compute these matrices: each is run on the unit vectors by a reader of their small language.
  @Test(arguments: Winograd.all)
  func theStatementsAreTheMatrices(winograd: Winograd) throws {
    let edge = winograd.edge
    for column in 0..<edge {
      let unit = (0..<edge).map { $0 == column ? 1.0 : 0.0 }
      let t = try run(winograd.inputStatements, "d", unit, result: "t", count: edge)
      let y = try run(winograd.outputStatements, "t", unit, result: "y", count: winograd.size)
      for row in 0..<edge { #expect(abs(t[row] - winograd.inputTransform[row][column]) < 1e-6) }
      for row in 0..<winograd.size {
        let expected = winograd.outputTransform[row][column]
        #expect(abs(y[row] - expected) < 1e-6 * max(1, abs(expected)))
      }
    }
  }

  @Test func theStatementsOfTheSmallest() {
    let smallest = Winograd.all[0]
    #expect(smallest.size == 2)
    #expect(
      smallest.inputStatements == [
        "t[0] = d[2] - d[0];", "const vec odd0 = d[2];", "const vec even0 = d[1];", "t[1] = even0 + odd0;",
        "t[2] = odd0 - even0;", "t[3] = d[3] - d[1];",
      ])
    #expect(
      smallest.outputStatements == [
        "const vec sum0 = t[1] + t[2], difference0 = t[1] - t[2];", "y[0] = sum0 + t[0];",
        "y[1] = difference0 + t[3];",
      ])
  }

  /// Groups cover the tiles, none is larger than a register tile, and the sizes listed are those that occur.
  @Test(arguments: [1, 2, 13, 14, 15, 27, 28, 29, 55, 64, 100])
  func groupsAreOfEqualSize(tiles: Int) {
    for count in [tiles, 3 * tiles, 3 * tiles + 1] {
      let tile = WinogradTile(size: 2, strip: 2, tiles: tiles, group: 14, chunk: 2, shared: false)
      let output = Shape(batch: 1, channels: 32, height: 2, width: 2 * count)
      #expect(tile.count(output) == count)
      var sizes: Set<Int> = []
      for first in stride(from: 0, to: count, by: tiles) {
        let held = min(tiles, count - first)
        let groups = (held + 13) / 14
        let here = (0..<groups).map { ($0 + 1) * held / groups - $0 * held / groups }
        #expect(here.reduce(0, +) == held)
        #expect(here.max()! - here.min()! <= 1 && here.max()! <= 14)
        sizes.formUnion(here)
      }
      #expect(tile.groupSizes(output) == sizes.sorted())
    }
  }

  // MARK: - support

  private func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } } }
  }

  private func transposed(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { j in a.map { $0[j] } } }

  private struct Unreadable: Error { var text: String }

  /// Runs statements `[const vec] name = ±[c *] operand ± …[, name = …];`.
  private func run(
    _ statements: [String], _ input: String, _ values: [Double], result: String, count: Int
  ) throws -> [Double] {
    var known: [String: Double] = [:]
    for (index, value) in values.enumerated() { known["\(input)[\(index)]"] = value }
    for statement in statements {
      guard statement.hasSuffix(";") else { throw Unreadable(text: statement) }
      var text = String(statement.dropLast())
      if text.hasPrefix("const vec ") { text.removeFirst("const vec ".count) }
      for assignment in text.split(separator: ",") {
        let sides = assignment.split(separator: "=").map { $0.split(separator: " ").map(String.init) }
        guard sides.count == 2, sides[0].count == 1 else { throw Unreadable(text: statement) }
        var total = 0.0
        var sign = 1.0
        var factor = 1.0
        for word in sides[1] {
          var operand = word
          switch word {
          case "+": (sign, factor) = (1, 1)
          case "-": (sign, factor) = (-1, 1)
          case "*": break
          default:
            if operand.hasPrefix("-") {
              sign = -1
              operand.removeFirst()
            }
            if operand.hasSuffix("f"), let number = Double(operand.dropLast()) {
              factor = number
            } else if let value = known[operand] {
              total += sign * factor * value
            } else {
              throw Unreadable(text: statement)
            }
          }
        }
        known[sides[0][0]] = total
      }
    }
    return try (0..<count).map { index in
      guard let value = known["\(result)[\(index)]"] else { throw Unreadable(text: "\(result)[\(index)]") }
      return value
    }
  }
}
