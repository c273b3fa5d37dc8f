clang -O3 -march=native -ffp-contract=fast -fno-math-errno -fopenmp \
  -I build/small/include main.c build/small/small_spd.c -o small
./small build/small/small_spd.spdw
