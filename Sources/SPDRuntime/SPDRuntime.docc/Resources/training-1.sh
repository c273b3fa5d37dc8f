spdc compile tiny-spd.swift --emit c --weights synthetic -o Sources/tiny_spd
spdc compile tiny-spd.swift --train --batch 16 --emit c -o Sources/tiny_spd_train
