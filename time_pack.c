#define _GNU_SOURCE
#include "yolov5_spd_m.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>
static double now(int c){struct timespec t;clock_gettime(c,&t);return t.tv_sec+t.tv_nsec*1e-9;}
int main(int argc,char**argv){
  int huge=argc>2&&atoi(argv[2]); int reps=argc>3?atoi(argv[3]):5;
  double best=1e9,bc=1e9; uint64_t h=0; double again=1e9;
  for(int r=0;r<reps;r++){
    double t=now(CLOCK_MONOTONIC),c=now(CLOCK_PROCESS_CPUTIME_ID);
    int fd=open(argv[1],O_RDONLY);struct stat st;fstat(fd,&st);
    void*p=mmap(0,st.st_size,PROT_READ,MAP_PRIVATE,fd,0);close(fd);
    size_t n=YOLOV5_SPD_M_PACKED_BYTES; void*q; posix_memalign(&q,huge?1<<21:64,n); if(huge)madvise(q,n,MADV_HUGEPAGE);
    int s=yolov5_spd_m_pack(p,st.st_size,q,n); if(s){puts(yolov5_spd_m_status(s));return 1;}
    double e=now(CLOCK_MONOTONIC)-t, ec=now(CLOCK_PROCESS_CPUTIME_ID)-c; if(e<best)best=e; if(ec<bc)bc=ec;
    t=now(CLOCK_MONOTONIC); yolov5_spd_m_pack(p,st.st_size,q,n); e=now(CLOCK_MONOTONIC)-t; if(e<again)again=e;
    if(r==0){h=1469598103934665603ull;uint32_t*w=q;w+=16;for(size_t i=0;i<n/4-16;i++)h=(h^w[i])*1099511628211ull;}
    munmap(p,st.st_size);free(q);
  }
  printf("load+pack %.3f s, cpu %.3f s, warm %.3f, hash %016lx, %zu MB\n",best,bc,again,h,(size_t)YOLOV5_SPD_M_PACKED_BYTES>>20);
}
