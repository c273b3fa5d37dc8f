/// The machine that C is generated for: what the kernels' tiles depend on, and the compiler flag that goes with it.
///
/// The text is right on any machine whatever the target; only its speed depends on it.
public struct Target: Codable, Equatable, Sendable {
  public var name: String
  /// Floats in one vector register.
  public var lanes: Int
  public var registers: Int
  public var hasFusedMultiplyAdd: Bool
  /// Second-level cache per core, in bytes.
  public var l2Bytes: Int
  /// `-march=…` for clang and gcc, empty for the compiler's default.
  public var flags: [String]

  public init(name: String, lanes: Int, registers: Int, hasFusedMultiplyAdd: Bool, l2Bytes: Int, flags: [String]) {
    self.name = name
    self.lanes = lanes
    self.registers = registers
    self.hasFusedMultiplyAdd = hasFusedMultiplyAdd
    self.l2Bytes = l2Bytes
    self.flags = flags
  }

  public static let x86v4 = Target(
    name: "x86-64-v4", lanes: 16, registers: 32, hasFusedMultiplyAdd: true, l2Bytes: 1 << 20,
    flags: ["-march=x86-64-v4", "-mprefer-vector-width=512"])
  public static let x86v3 = Target(
    name: "x86-64-v3", lanes: 8, registers: 16, hasFusedMultiplyAdd: true, l2Bytes: 1 << 18, flags: ["-march=x86-64-v3"]
  )
  public static let x86 = Target(
    name: "x86-64", lanes: 4, registers: 16, hasFusedMultiplyAdd: false, l2Bytes: 1 << 18, flags: ["-march=x86-64"])
  public static let aarch64 = Target(
    name: "aarch64", lanes: 4, registers: 32, hasFusedMultiplyAdd: true, l2Bytes: 1 << 19, flags: [])
  public static let scalar = Target(
    name: "scalar", lanes: 1, registers: 16, hasFusedMultiplyAdd: false, l2Bytes: 1 << 18, flags: [])

  /// All but `native`, which only the machine itself can tell.
  public static let named: [Target] = [x86v4, x86v3, x86, aarch64, scalar]

  /// Size of the last-level cache, shared by all cores.
  static let cacheBytes = 32 << 20
  /// What one thread reads per cycle from memory and from the cache beyond the second level, as measured on current servers:
  /// it decides between algorithms, not between right and wrong.
  static let memoryBytesPerCycle = 8.0
  static let cacheBytesPerCycle = 25.0
}
