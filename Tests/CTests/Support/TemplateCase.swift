import SPDCompiler
import SPDTemplates
import Testing

/// A single template with its holes filled with small numbers.
struct TemplateCase: Sendable, CustomTestStringConvertible {
  var name: String
  /// Fillings of the holes that are not numbers.
  var holes: [String: String] = [:]
  var testDescription: String { name }

  static let all: [TemplateCase] = [
    TemplateCase(
      name: "winograd_transforms",
      holes: [
        "M": "2", "N": "4", "POINTS": "0, 1, -1", "INPUT": "t[0] = d[0], t[1] = d[1], t[2] = d[2], t[3] = d[3];",
        "OUTPUT": "y[0] = t[0] + t[1], y[1] = t[2] + t[3];",
      ]),
    TemplateCase(
      name: "winograd_product",
      holes: [
        "TILES": "2", "STRIP": "2", "ACCUMULATORS": "vec first = SPLAT(0.0f), second = SPLAT(0.0f);",
        "WEIGHTS": "const vec w = AT(u);",
        "MULTIPLY": "s = v[lane], first += s * w; s = v[BLOCK + lane], second += s * w;",
        "STORE": "PUT(m, first); PUT(m + VL, second);",
      ]),
    TemplateCase(
      name: "winograd_image",
      holes: ["N": "4", "ORDER": "0_3_6_9", "SCALE": "2", "GATHER": "lanes[0] = p[0]; lanes[3] = p[1];"]),
    TemplateCase(name: "conv_image", holes: ["EPILOGUE": "hard_swish(&v);"]),
    TemplateCase(name: "conv_depthwise", holes: ["EPILOGUE": "relu(&v);"]),
    TemplateCase(name: "conv_grouped", holes: ["EPILOGUE": ""]),
    TemplateCase(name: "pointwise", holes: ["EPILOGUE": "leaky_relu(&v, (float)0.1);"]),
    TemplateCase(name: "max_pool"), TemplateCase(name: "average_pool"), TemplateCase(name: "global_average"),
    TemplateCase(name: "softmax"), TemplateCase(name: "flatten"),
    TemplateCase(
      name: "copy",
      holes: [
        "SEGMENTS": """
        COPY_BLOCKS(0, 1, 0, 512, 128, 16, 64, 2)
        COPY_LANES(1, 3, 2, 16, 1, 512, 8, 1, 64, 4, 1)
        """
      ]),
    TemplateCase(
      name: "decode_boxes",
      holes: ["LEVELS": "LEVEL(0, 0, 4, 4, 8, 512, 128, 64);\nLEVEL(1, 32, 2, 2, 16, 128, 64, 32);"]),
    TemplateCase(name: "training"), TemplateCase(name: "training_math"), TemplateCase(name: "vector_math"),
    TemplateCase(name: "loss_math"), TemplateCase(name: "composed_math"), TemplateCase(name: "tanh"),
    TemplateCase(name: "erf"),
    TemplateCase(
      name: "activation_with_parameter",
      holes: ["TEXT": "y * t", "LINES": " const vec v1 = y * t;", "RESULT": "v1"]),
    TemplateCase(name: "pack_parameter"),
    TemplateCase(name: "activation", holes: ["TEXT": "y * y", "LINES": " const vec v1 = y * y;", "RESULT": "v1"]),
    TemplateCase(name: "cross_entropy"),
    TemplateCase(
      name: "composed_loss",
      holes: [
        "REDUCTIONS": "", "LINES": "const vec v2 = y - t; const vec v3 = v2 * v2;", "LOSS": "v3", "SLOPE": "v2",
        "COUNTED": "1.0",
      ]),
    TemplateCase(
      name: "yolo_loss",
      holes: [
        "LEVEL_TABLE": "{4, 4, 512, 128, 64, 512, 128, 64}, {2, 2, 128, 64, 32, 128, 64, 32}", "LEVELS": "2",
        "ROWS": "6",
      ]),
    TemplateCase(name: "optimizer_rules", holes: ["NAME": "small_optimizer"]),
    TemplateCase(name: "optimizer", holes: ["RANGES": "{0, 13, 0}, {16, 7, -1}"]),
    TemplateCase(name: "halo"), TemplateCase(name: "prelude"), TemplateCase(name: "peak"),
    TemplateCase(name: "parameters", holes: ["TENSORS": "{0x1u, 4}, {0x2u, 1}", "VARIANCES": "{1, 1e-5}, {-1, 0.0}"]),
    TemplateCase(name: "pack_bias"), TemplateCase(name: "pack_direct"), TemplateCase(name: "pack_grouped"),
    TemplateCase(name: "pack_norm"), TemplateCase(name: "pack_image"), TemplateCase(name: "pack_winograd"),
    TemplateCase(name: "module", holes: module), TemplateCase(name: "runtime", holes: module),
  ]

  /// What other templates are made of, in an order in which each comes after what it calls.
  private static let basics = [
    "prelude", "multiply", "clamp", "exponential", "relu", "leaky_relu", "silu", "sigmoid", "hard_swish",
  ]

  private static let module = [
    "CASES": "        case 0: arena[thread] = input[threads]; break;", "PACK": "    weights[0] = 0.0f;", "SCRATCH": "",
    "OUTPUT_SHAPES": "{2, {1, 4, 0, 0}}", "OUTPUT_TEXT": " * Output: 1 x 4", "FLAGS": "", "TARGET": "scalar",
    "VERSION": "0", "NAME": "\"small\"", "OUTPUT_PLACES": "#define SMALL_OUTPUTS 1",
  ]

  private static let numbers = [
    "IMAGES": 2, "OUT_ROWS": 5, "OUT_COLS": 7, "OUT_BLOCKS": 3, "KH": 3, "KW": 3,
    "TILE_COLS": 3, "STRIP": 2,
    "Y_IMAGE": 1680, "Y_ROW": 336, "Y_BLOCK": 112, "Y_COL": 16, "Y_LANE": 1, "R_IMAGE": 1680, "R_ROW": 336,
    "R_BLOCK": 112, "X_IMAGE": 2016, "X_ROW": 288, "X_BLOCK": 144, "TAP_ROW": 288, "TAP_COL": 16, "ROW_STEP": 288,
    "PIXEL_STEP": 16, "CHANNELS": 3, "IN_ROWS": 10, "IN_COLS": 14, "STRIDE": 2, "STRIDE_X": 2, "STRIDE_Y": 2,
    "PAD_TOP": 1, "PAD_LEFT": 1, "INPUTS": 12, "OUTPUTS": 12, "GROUPS": 3, "ROWS": 5, "COLS": 7, "BLOCKS": 3,
    "PADDED": 16, "Y_BLOCKS": 7, "CLASSES": 3, "BOXES": 40, "ANCHORS": 2, "BATCH": 1, "HEIGHT": 4, "WIDTH": 4,
    "STEPS": 1, "PACKED_COUNT": 16, "ARENA_COUNT": 64, "SCRATCH_COUNT": 16, "PACK_HASH": 1, "GRAPH_HASH": 2,
    "INPUT_COUNT": 48, "OUTPUT_COUNT": 4, "IN_BLOCKS": 7, "TILES": 4, "GROUP": 2, "CHUNK": 1, "V_PLANE": 464,
    "FETCH": 1,
    "DX_IMAGE": 1680, "DX_ROW": 336, "DX_BLOCK": 112, "SCRATCH": 512, "CELLS": 20, "MAX_TARGETS": 4, "REFERENCE": 1,
    "COUNT": 32, "RANGE_COUNT": 2,
  ]

  /// Whether the template uses OpenMP.
  var isParallel: Bool { name == "runtime" || name == "peak" }

  /// Vectors wider than the machine's would need memory operands that assembly does not take.
  func flags(lanes: Int) -> [String] {
    guard name == "peak" else { return [] }
    return [16: ["-mavx512f"], 8: ["-mavx2"]][lanes] ?? []
  }

  /// The template with its dependencies before it, and a use of each function after it.
  func text(_ templates: Templates, lanes: Int) throws -> String {
    switch name {
    case "peak": return try filled(templates, name, lanes)
    case "module": return try filled(templates, name, lanes)
    case "runtime":
      let stub =
        "static int check_records(const void *file, size_t bytes) { return file == NULL || bytes == 0; }\n"
        + "static int check_roots(const void *file) { return file != NULL; }\n"
        + "static int check_digests(const void *file, int thread, int threads) { return file != NULL && thread < threads; }\n"
      return try "#include \"small.h\"\n" + filled(templates, "prelude", lanes) + stub
        + filled(templates, name, lanes)
    default: break
    }
    var text = try Self.basics.map { try filled(templates, $0, lanes) }.joined()
    if name == "parameters" || name.hasPrefix("pack") { text = try filled(templates, "module", lanes) + text }
    if name.hasPrefix("pack") { text += try Self.named("parameters").filled(templates, "parameters", lanes) }
    if ["cross_entropy", "composed_loss", "yolo_loss", "optimizer", "optimizer_rules"].contains(name) {
      for support in ["training", "training_math", "vector_math", "loss_math", "composed_math"] {
        text += try Self.named(support).filled(templates, support, lanes)
      }
    }
    if name == "optimizer" { text += try Self.named("optimizer_rules").filled(templates, "optimizer_rules", lanes) }
    if ["loss_math", "composed_math", "tanh", "erf"].contains(name) {
      text += try Self.named("vector_math").filled(templates, "vector_math", lanes)
    }
    if name != "prelude" { text += try filled(templates, name, lanes) }
    let functions = text.matches(of: #/\n(?:static|OUTLINE) [^\n]*?\b(\w+)\(/#).map { String($0.1) }
    text += "\nvoid small_use(void (**to)(void));\nvoid small_use(void (**to)(void))\n{\n"
    for (index, function) in functions.enumerated() { text += "    to[\(index)] = (void (*)(void))\(function);\n" }
    return text + "    (void)to;\n}\n"
  }

  /// `small.h`, where the text includes it.
  func header(_ templates: Templates) throws -> String? {
    name == "runtime" ? try Self.named("module").filled(templates, "module", 1) : nil
  }

  private static func named(_ name: String) throws -> TemplateCase { try #require(all.first { $0.name == name }) }

  private func filled(_ templates: Templates, _ template: String, _ lanes: Int) throws -> String {
    var values = Self.numbers.mapValues(String.init)
    values.merge(
      ["NAME": "small_\(template)", "PREFIX": "small", "UPPER": "SMALL", "VL": "\(lanes)", "LINE": ""]
    ) { $1 }
    values.merge(name == template ? holes : template == "module" ? Self.module : [:]) { $1 }
    let text = try #require(SPDTemplates.load()[template])
    let wanted = Set(text.matches(of: #/@([A-Z_]+)@/#).map { String($0.1) })
    return try templates.fill(template, values.filter { wanted.contains($0.key) })
  }
}
