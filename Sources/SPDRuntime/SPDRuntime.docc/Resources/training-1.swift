import SPD
import SPDRuntime
import tiny_spd
import tiny_spd_train

let trainable = try TrainableNetwork(module: tiny_spd_train_module())
let trainer = try trainable.trainer(threads: 2)
try trainer.load(ParameterFile(mapping: "Sources/tiny_spd/tiny_spd.spdw"))
