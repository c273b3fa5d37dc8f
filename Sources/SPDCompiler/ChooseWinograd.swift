import SPD

/// How a 3×3 convolution is computed by `Winograd`; see the template.
public struct WinogradTile: Codable, Equatable, Sendable {
  /// Edge of an output tile.
  public var size: Int
  /// Blocks of 16 outputs in a strip.
  public var strip: Int
  /// Tiles whose elements are held at a time.
  public var tiles: Int
  /// Tiles in a register tile, at most.
  public var group: Int
  /// Groups that one thread takes of one strip before the next strip, at most.
  public var chunk: Int
  /// True: all threads work on the same tiles and share the strips.
  public var shared: Bool
  /// True: the output goes past the caches, which it would not fit.
  public var streams = false
  /// Strips whose weights are packed and used before those of the next ones take their place, in training; 0: all.
  public var share = 0

  public var edge: Int { size + 2 }
  var elements: Int { edge * edge }

  /// Tiles that cover a result.
  func count(_ output: Shape) -> Int {
    output.batch * ChooseTile.ceilDivide(output.height, size) * ChooseTile.ceilDivide(output.width, size)
  }

  /// Sizes of the register tiles that run, smallest first: groups of equal size, give or take one, of whole blocks of tiles and of
  /// the last one.
  func groupSizes(_ output: Shape) -> [Int] {
    let count = count(output)
    var sizes: Set<Int> = []
    for tiles in [min(tiles, count), count % tiles] where tiles > 0 {
      let groups = ChooseTile.ceilDivide(tiles, group)
      for index in 0..<groups { sizes.insert((index + 1) * tiles / groups - index * tiles / groups) }
    }
    return sizes.sorted()
  }

  /// Floats from one element of the transformed inputs to the next: an odd number of cache lines.
  func inputPlane(_ output: Shape, inputBlocks: Int) -> Int {
    (min(tiles, count(output)) * inputBlocks | 1) * channelBlock
  }

  /// Floats from one element of the products to the next.
  func productPlane(_ output: Shape) -> Int {
    (min(min(tiles, count(output)), chunk * group) * strip | 1) * channelBlock
  }
}

/// Picks the Winograd variants that suit a convolution, from a small model of the processor.
enum ChooseWinograd {
  /// What the choice depends on: the result, and blocks of inputs as stored.
  struct Problem {
    var output: Shape
    var inputBlocks: Int
    /// Tiles are gathered from the caller's planar image.
    var isImage = false
    /// Weights are transformed in every run, as training does.
    var packsWeights = false

    var outputBlocks: Int { ChooseTile.ceilDivide(output.channels, channelBlock) }
    var depth: Int { inputBlocks * channelBlock }
  }

  /// For each tile size, blocks of tiles that each thread has for itself and some that all share; the fastest should be first.
  static func candidates(_ problem: Problem, target: Target) -> [WinogradTile] {
    let all = Winograd.all.flatMap { winograd in
      // Winograd-domain elements of three times the second-level cache stay near; of eight, they save reading the weights again.
      var tiles = [3, 8].map { shared(winograd, problem, caches: $0, target: target) }
      if tiles[0] == tiles[1] { tiles.removeLast() }
      return tiles + [own(winograd, problem, target: target)].compactMap { $0 }
    }
    var sorted = all.map { ($0, cycles($0, problem, target: target)) }.sorted { $0.1 < $1.1 }
    // The model is not as exact as 4 %: where it sees no larger difference, the fewest weights read if no cache holds them, since
    // threads share the memory's bandwidth.
    func read(_ index: Int) -> Int {
      let tile = sorted[index].0
      let rounds = ChooseTile.ceilDivide(tile.count(problem.output), tile.tiles)
      return max(weightBytes(tile, problem) * rounds, Target.cacheBytes / 2)
    }
    let equal = sorted.prefix { $0.1 <= 1.04 * sorted[0].1 }
    if let smallest = equal.indices.min(by: { read($0) < read($1) }) {
      sorted.insert(sorted.remove(at: smallest), at: 0)
    }
    return sorted.map(\.0)
  }

  private static func base(_ winograd: Winograd, _ problem: Problem, target: Target) -> WinogradTile {
    let vectors = channelBlock / target.lanes
    let room = target.registers - (target.hasFusedMultiplyAdd ? 4 : 8)
    let blocks = problem.outputBlocks
    var strip = max(1, 2 / vectors)
    if strip == 2, blocks % 2 == 1, blocks % 3 == 0 { strip = 3 }
    strip = min(strip, blocks)
    var result = WinogradTile(
      size: winograd.size, strip: strip, tiles: 1, group: max(1, room / (strip * vectors)), chunk: 1, shared: false,
      streams: ChooseTile.streams(problem.output))
    if problem.packsWeights {
      // As many as stay in the last cache beside other things, but enough for a few threads.
      let strips = ChooseTile.ceilDivide(blocks, strip)
      let share = max(4, Target.cacheBytes / 4 / (weightBytes(result, problem) / strips))
      result.share = share < strips ? share : 0
    }
    return result
  }

  /// All threads on as many tiles as fit into so many second-level caches.
  private static func shared(_ winograd: Winograd, _ problem: Problem, caches: Int, target: Target) -> WinogradTile {
    var result = base(winograd, problem, target: target)
    result.shared = true
    let count = result.count(problem.output)
    let most = max(result.group, target.l2Bytes * caches / (result.elements * problem.depth * 4))
    result.tiles = ChooseTile.ceilDivide(count, ChooseTile.ceilDivide(count, most))
    // Products of at most half the second-level cache.
    let groupBytes = result.group * result.strip * channelBlock * 4 * result.elements
    result.chunk = min(ChooseTile.ceilDivide(result.tiles, result.group), max(1, target.l2Bytes / 2 / groupBytes))
    return result
  }

  /// Blocks of tiles for each thread by itself; nil if there are too few of them to share out.
  private static func own(_ winograd: Winograd, _ problem: Problem, target: Target) -> WinogradTile? {
    var result = base(winograd, problem, target: target)
    let count = result.count(problem.output)
    // Two groups at least, so that weights from beyond the second-level cache are used for as many tiles; more if the
    // elements of inputs and of a strip's products fit into it, beside the weights where these do. An even number of
    // blocks of equal size.
    let tileBytes = result.elements * (problem.depth + result.strip * channelBlock) * 4
    let weights = weightBytes(result, problem)
    let room = weights < target.l2Bytes * 5 / 8 ? target.l2Bytes * 7 / 8 - weights : target.l2Bytes * 5 / 8
    let most = max(2 * result.group, room / tileBytes / result.group * result.group)
    var parts = ChooseTile.ceilDivide(count, most)
    guard parts >= 4 else { return nil }
    parts = (parts + 1) / 2 * 2
    result.tiles = ChooseTile.ceilDivide(count, parts)
    result.chunk = ChooseTile.ceilDivide(result.tiles, result.group)
    return result
  }

  // MARK: - cost

  /// Cycles of one thread without the epilogue, which costs every algorithm the same.
  static func cycles(_ tile: WinogradTile, _ problem: Problem, target: Target) -> Double {
    let vectors = channelBlock / target.lanes
    let count = tile.count(problem.output)
    let strips = ChooseTile.ceilDivide(problem.outputBlocks, tile.strip)
    let held = min(tile.tiles, count)
    let rounds = ChooseTile.ceilDivide(count, held)

    var products = 0.0
    let groups = ChooseTile.ceilDivide(held, tile.group)
    for index in 0..<groups {
      let size = (index + 1) * held / groups - index * held / groups
      let lane = ChooseTile.laneCycles(pixels: size, vectors: tile.strip * vectors)
      // Zeros in, sums out, and what filling the pipeline takes.
      products += Double(problem.depth) * lane + Double(size * tile.strip * vectors) + 40
    }
    products *= Double(rounds * strips * tile.elements)
    let (input, output) = transformCycles(tile.size)
    // Twelve floats of a pixel come one by one.
    let gather = problem.isImage ? Double(count * tile.elements * 14) : 0
    let transforms =
      gather + Double(count * vectors) * (Double(problem.inputBlocks) * input + Double(problem.outputBlocks) * output)

    // Weights come from memory once, and again from the cache beyond the second level if it holds them, ahead of their use.
    // Inputs that outgrow the second level are waited for, and longer if they outgrow it by far.
    let weights = weightBytes(tile, problem)
    let inputs = held * tile.elements * problem.depth * 4
    let again = weights > target.l2Bytes / 2 ? weights * (rounds - 1) : 0
    let spilled = inputs > target.l2Bytes * 7 / 8 ? Double(inputs * rounds * (strips + 1)) : 0
    let arithmetic =
      products + transforms + spilled * (inputs > 4 * target.l2Bytes ? 1.6 : 0.8) / Target.cacheBytesPerCycle
    let fits = weights + inputs < Target.cacheBytes * 7 / 8
    let near = fits ? Target.cacheBytesPerCycle : Target.memoryBytesPerCycle
    let memory = Double(weights) / Target.memoryBytesPerCycle + Double(again) / near
    return ChooseTile.overlap(arithmetic, memory) + (problem.packsWeights ? packing(tile, problem) : 0)
  }

  /// Cycles that one thread takes longer to transform the weights than to put them in order: measured for 512×2048.
  private static func packing(_ tile: WinogradTile, _ problem: Problem) -> Double {
    Double(weightBytes(tile, problem)) / 2.5
  }

  /// Size of the transformed weights.
  static func weightBytes(_ tile: WinogradTile, _ problem: Problem) -> Int {
    tile.elements * problem.depth * problem.outputBlocks * channelBlock * 4
  }

  /// Measured with everything in the second-level cache, per tile and vector of channels.
  private static func transformCycles(_ size: Int) -> (input: Double, output: Double) {
    switch size {
    case 2: (45, 60)
    case 4: (110, 140)
    case 5: (175, 200)
    default: (260, 290)
    }
  }
}
