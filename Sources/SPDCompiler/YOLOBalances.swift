/// Weights of the objectness loss by level.
public enum YOLOBalances {
  /// The weights of the levels' objectness that training starts with, for up to `maxLevels` levels.
  public static func initial(levels: Int) -> [Double] {
    levels == 3 ? [4, 1, 0.4] : Array([4, 1, 0.25, 0.06, 0.02].prefix(levels))
  }

  public static let maxLevels = initial(levels: .max).count
}
