// chapter 06
int main(void) { return 0; }
